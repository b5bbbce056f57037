#include "petlab/kernels/attention.hpp"

#include "tensors.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <vector>

namespace petlab::kernels {
namespace {

/// Written out, in the type of its inputs.
at::Tensor formula(const at::Tensor& q, const at::Tensor& kv, std::int64_t heads, bool is_causal,
                   const at::Tensor& positions, const SharedKeys& shared) {
  const std::int64_t batch = q.size(0);
  const std::int64_t width = q.size(2) / heads;
  at::Tensor all = kv;
  std::int64_t n_shared = 0;
  if (shared.kv.defined()) {
    n_shared = shared.kv.size(1);
    const at::Tensor sets =
        shared.set_of_sample.defined() ? shared.set_of_sample : at::zeros({batch}, at::kLong);
    all = at::cat({shared.kv.index_select(0, sets), kv}, 1);
  }
  const auto split = [&](const at::Tensor& x) {
    return x.reshape({batch, x.size(1), heads, width}).transpose(1, 2);
  };
  const std::vector<at::Tensor> parts = all.chunk(2, -1);
  at::Tensor scores =
      at::matmul(split(q), split(parts[0]).transpose(2, 3)) / std::sqrt(static_cast<double>(width));
  if (is_causal || positions.defined()) {
    at::Tensor last = at::arange(q.size(1)).view({1, 1, -1, 1}) + n_shared;
    if (positions.defined()) last = last + positions.view({batch, 1, 1, 1});
    const at::Tensor hidden = at::arange(all.size(1)).view({1, 1, 1, -1}) > last;
    scores = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  }
  return at::matmul(at::softmax(scores, -1), split(parts[1])).transpose(1, 2).reshape(q.sizes());
}

struct AttentionCase {
  std::int64_t batch, length, heads, head_width;
  bool is_causal;
  std::int64_t n_shared, sets;
};

std::ostream& operator<<(std::ostream& out, const AttentionCase& c) {
  return out << c.batch << 'x' << c.length << " positions, " << c.heads << " heads of "
             << c.head_width << (c.is_causal ? ", causal" : "") << ", " << c.n_shared
             << " shared keys in " << c.sets << " sets";
}

class Attention : public ::testing::TestWithParam<AttentionCase> {
 protected:
  struct Result {
    at::Tensor out, own, shared;
  };

  /// Values and gradients by the kernel, or by the formula in float64.
  Result run(at::ScalarType type, bool exact) const {
    const AttentionCase& c = GetParam();
    const std::int64_t width = c.heads * c.head_width;
    const auto leaf = [&](at::IntArrayRef sizes, std::uint64_t seed) {
      at::Tensor x = test::drawn(sizes, seed).to(type);
      if (exact) x = x.to(at::kDouble);
      return x.set_requires_grad(true);
    };
    const at::Tensor qkv = leaf({c.batch, c.length, 3 * width}, 1);
    SharedKeys shared;
    if (c.n_shared > 0) shared.kv = leaf({c.sets, c.n_shared, 2 * width}, 2);
    if (c.sets > 1) shared.set_of_sample = at::arange(c.batch, at::kLong).remainder(c.sets);
    const at::Tensor out = exact ? formula(qkv.narrow(2, 0, width), qkv.narrow(2, width, 2 * width),
                                           c.heads, c.is_causal, {}, shared)
                                 : self_attention(qkv, c.heads, c.is_causal, shared);
    out.backward(test::drawn({c.batch, c.length, width}, 3).to(type).to(out.scalar_type()));
    return {out.detach(), qkv.grad(), shared.kv.defined() ? shared.kv.grad() : at::zeros({1})};
  }
};

INSTANTIATE_TEST_SUITE_P(
    Sizes, Attention,
    ::testing::Values(
        AttentionCase{2, 1, 3, 16, false, 0, 1}, AttentionCase{2, 1, 3, 16, true, 0, 1},
        AttentionCase{3, 16, 2, 32, false, 0, 1}, AttentionCase{3, 17, 2, 32, true, 0, 1},
        AttentionCase{1, 37, 6, 32, false, 4, 1}, AttentionCase{5, 23, 1, 48, false, 3, 2},
        AttentionCase{4, 13, 2, 64, true, 5, 1}, AttentionCase{4, 13, 2, 64, true, 20, 3},
        AttentionCase{1, 197, 2, 64, false, 10, 1}, AttentionCase{1, 260, 1, 80, false, 0, 1},
        // Heads that the kernel does not take.
        AttentionCase{2, 11, 2, 12, false, 0, 1}, AttentionCase{2, 11, 2, 12, true, 3, 2}));

TEST_P(Attention, IsTheFormulaAndItsDerivative) {
  const Result got = run(at::kFloat, false);
  const Result exact = run(at::kFloat, true);
  EXPECT_LE(test::distance(got.out, exact.out), 5e-6);
  EXPECT_LE(test::distance(got.own, exact.own), 1e-5);
  EXPECT_LE(test::distance(got.shared, exact.shared), 2e-5);
}

TEST_P(Attention, InBfloat16IsWithinItsRounding) {
  const Result got = run(at::kBFloat16, false);
  const Result exact = run(at::kBFloat16, true);
  EXPECT_EQ(got.out.scalar_type(), at::kBFloat16);
  EXPECT_LE(test::distance(got.out, exact.out), 0.02 * exact.out.abs().max().item<double>());
  EXPECT_LE(test::distance(got.own, exact.own), 0.03 * exact.own.abs().max().item<double>());
  EXPECT_LE(test::distance(got.shared, exact.shared),
            0.03 * exact.shared.abs().max().item<double>() + 1e-12);
}

TEST_P(Attention, IsTheSameWithAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Result one = run(at::kFloat, false);
  at::set_num_threads(3);
  const Result three = run(at::kFloat, false);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(one.out, three.out));
  EXPECT_TRUE(at::equal(one.own, three.own));
  EXPECT_TRUE(at::equal(one.shared, three.shared));
}

TEST_P(Attention, OfOneQueryASampleIsThatRow) {
  const AttentionCase& c = GetParam();
  const std::int64_t width = c.heads * c.head_width;
  const at::Tensor q = test::drawn({c.batch, 1, width}, 4).set_requires_grad(true);
  const at::Tensor kv = test::drawn({c.batch, c.length, 2 * width}, 5).set_requires_grad(true);
  SharedKeys shared;
  if (c.n_shared > 0)
    shared.kv = test::drawn({c.sets, c.n_shared, 2 * width}, 6).set_requires_grad(true);
  if (c.sets > 1) shared.set_of_sample = at::arange(c.batch, at::kLong).remainder(c.sets);
  at::Tensor positions;
  if (c.is_causal) positions = at::arange(c.batch, at::kLong).remainder(c.length);
  const at::Tensor upstream = test::drawn({c.batch, 1, width}, 7);
  const at::Tensor out = attention(q, kv, c.heads, positions, shared);
  out.backward(upstream);
  const auto wide = [](const at::Tensor& x) {
    return x.defined() ? x.detach().to(at::kDouble).set_requires_grad(true) : x;
  };
  const at::Tensor wide_q = wide(q);
  const at::Tensor wide_kv = wide(kv);
  const SharedKeys wide_shared{wide(shared.kv), shared.set_of_sample};
  const at::Tensor exact = formula(wide_q, wide_kv, c.heads, false, positions, wide_shared);
  exact.backward(upstream.to(at::kDouble));
  EXPECT_LE(test::distance(out, exact), 5e-6);
  EXPECT_LE(test::distance(q.grad(), wide_q.grad()), 5e-6);
  EXPECT_LE(test::distance(kv.grad(), wide_kv.grad()), 5e-6);
  if (shared.kv.defined()) {
    EXPECT_LE(test::distance(shared.kv.grad(), wide_shared.kv.grad()), 1e-5);
  }
}

TEST(AttentionModes, GradientsFlowOnlyWhereTheyAreWanted) {
  const at::Tensor qkv = test::drawn({2, 7, 96}, 1);
  const at::Tensor kv = test::drawn({1, 3, 64}, 2);
  const at::Tensor both_kv = kv.clone().set_requires_grad(true);
  const at::Tensor both_qkv = qkv.clone().set_requires_grad(true);
  self_attention(both_qkv, 2, false, {both_kv, {}}).sum().backward();
  const at::Tensor one_kv = kv.clone().set_requires_grad(true);
  self_attention(qkv, 2, false, {one_kv, {}}).sum().backward();
  EXPECT_TRUE(at::equal(one_kv.grad(), both_kv.grad()));
  const at::Tensor one_qkv = qkv.clone().set_requires_grad(true);
  const at::Tensor out = self_attention(one_qkv, 2, false, {kv, {}});
  out.sum().backward();
  EXPECT_TRUE(at::equal(one_qkv.grad(), both_qkv.grad()));
  EXPECT_FALSE(self_attention(qkv, 2, false).requires_grad());
  const c10::InferenceMode inference;
  EXPECT_TRUE(at::equal(self_attention(qkv, 2, false, {kv, {}}), out));
}

TEST(AttentionModes, AutocastDecidesTheType) {
  const at::Tensor qkv = test::drawn({2, 7, 96}, 1);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  const at::Tensor out = self_attention(qkv, 2, true);
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_EQ(out.scalar_type(), at::kBFloat16);
  EXPECT_LE(test::distance(out, self_attention(qkv, 2, true)), 0.03);
}

}  // namespace
}  // namespace petlab::kernels
