#include "petlab/kernels/layer_norm.hpp"

#include "tensors.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <vector>

namespace petlab::kernels {
namespace {

constexpr double kEps = 1e-5;

at::Tensor off_centre(at::IntArrayRef sizes, std::uint64_t seed) {
  return test::drawn(sizes, seed, /*mean=*/0.5, /*standard_deviation=*/2);
}

/// Widths that are no multiple of a vector too.
class AddLayerNorm : public ::testing::TestWithParam<std::int64_t> {
 protected:
  struct Result {
    at::Tensor sum, normed, x, branch;
    at::Tensor weight = {}, bias = {};  ///< gradients, where these are trained
  };

  std::int64_t width_ = GetParam();
  at::Tensor weight_ = off_centre({width_}, 1);
  at::Tensor bias_ = off_centre({width_}, 2);

  /// Values, and gradients of both inputs for gradients of both outputs.
  Result run(at::ScalarType stream, at::ScalarType of_branch, bool exact) const {
    const auto leaf = [&](std::uint64_t seed, at::ScalarType type) {
      const at::Tensor x = off_centre({3, 29, width_}, seed).to(type);
      return (exact ? x.to(at::kDouble) : x.clone()).set_requires_grad(true);
    };
    const at::Tensor x = leaf(3, stream);
    const at::Tensor branch = leaf(4, of_branch);
    NormedSum out;
    if (exact) {
      out.sum = x + branch;
      out.normed =
          at::layer_norm(out.sum, {width_}, weight_.to(at::kDouble), bias_.to(at::kDouble), kEps);
    } else {
      out = add_layer_norm(x, branch, weight_, bias_, kEps);
    }
    const at::Tensor loss = (out.sum * off_centre({3, 29, width_}, 5)).sum() +
                            (out.normed * off_centre({3, 29, width_}, 6)).sum();
    loss.backward();
    return {out.sum.detach(), out.normed.detach(), x.grad(), branch.grad()};
  }
};

INSTANTIATE_TEST_SUITE_P(Widths, AddLayerNorm, ::testing::Values(1, 15, 16, 24, 192, 768));

TEST_P(AddLayerNorm, IsTheFormulaAndItsDerivative) {
  const Result got = run(at::kFloat, at::kFloat, false);
  const Result exact = run(at::kFloat, at::kFloat, true);
  EXPECT_LE(test::distance(got.sum, exact.sum), 1e-6);
  EXPECT_LE(test::distance(got.normed, exact.normed), 1e-5);
  // Of a width of 1 the norm is constant, and its slope 1 / sqrt(eps) times what cancels.
  const double bound = width_ == 1 ? 1e-2 : 2e-5;
  EXPECT_LE(test::distance(got.x, exact.x), bound);
  EXPECT_TRUE(at::equal(got.x, got.branch));
}

TEST_P(AddLayerNorm, RoundsToTheTypesOfItsInputs) {
  if (width_ < 15) return;
  for (const at::ScalarType stream : {at::kFloat, at::kBFloat16}) {
    const Result wide = run(stream, at::kBFloat16, true);
    const Result got = run(stream, at::kBFloat16, false);
    EXPECT_EQ(got.sum.scalar_type(), stream);
    EXPECT_EQ(got.normed.scalar_type(), stream);
    EXPECT_EQ(got.x.scalar_type(), stream);
    EXPECT_EQ(got.branch.scalar_type(), at::kBFloat16);
    EXPECT_LE(test::distance(got.normed, wide.normed),
              0.02 * wide.normed.abs().max().item<double>());
    EXPECT_LE(test::distance(got.x, wide.x), 0.02 * wide.x.abs().max().item<double>());
    EXPECT_LE(test::distance(got.branch, wide.branch),
              0.02 * wide.branch.abs().max().item<double>());
  }
}

TEST_P(AddLayerNorm, WithTrainedWeightsIsTheSameAndHasTheirGradients) {
  const Result frozen = run(at::kFloat, at::kFloat, false);
  weight_.set_requires_grad(true);
  bias_.set_requires_grad(true);
  const auto gradients = [&](bool exact) {
    weight_.mutable_grad().reset();
    bias_.mutable_grad().reset();
    Result result = run(at::kFloat, at::kFloat, exact);
    result.weight = weight_.grad();
    result.bias = bias_.grad();
    return result;
  };
  const Result trained = gradients(false);
  EXPECT_TRUE(at::equal(frozen.normed, trained.normed));
  EXPECT_TRUE(at::equal(frozen.x, trained.x));
  const Result wanted = gradients(true);
  EXPECT_LE(test::distance(trained.weight, wanted.weight), 2e-4);
  EXPECT_LE(test::distance(trained.bias, wanted.bias), 1e-4);
}

TEST_P(AddLayerNorm, HasTheSameGradientsOfWeightsWithAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  std::vector<at::Tensor> first;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const at::Tensor weight = weight_.clone().set_requires_grad(true);
    const at::Tensor bias = bias_.clone().set_requires_grad(true);
    const at::Tensor x = off_centre({700, width_}, 3);
    layer_norm(x, weight, bias, kEps).backward(off_centre({700, width_}, 6));
    if (first.empty()) first = {weight.grad(), bias.grad()};
    EXPECT_TRUE(at::equal(first[0], weight.grad())) << threads << " threads";
    EXPECT_TRUE(at::equal(first[1], bias.grad())) << threads << " threads";
  }
  at::set_num_threads(before);
}

TEST_P(AddLayerNorm, WithoutABranchTheStreamStays) {
  const at::Tensor x = off_centre({2, 7, width_}, 3).set_requires_grad(true);
  const NormedSum out = add_layer_norm(x, {}, weight_, bias_, kEps);
  EXPECT_TRUE(at::equal(out.sum, x));
  EXPECT_LE(test::distance(out.normed,
                           at::layer_norm(x.to(at::kDouble), {width_}, weight_.to(at::kDouble),
                                          bias_.to(at::kDouble), kEps)),
            1e-5);
  // One of the outputs alone.
  out.sum.sum().backward();
  EXPECT_TRUE(at::equal(x.grad(), at::ones_like(x)));
}

TEST_P(AddLayerNorm, IsTheSameWithAnyNumberOfThreadsAndWithoutGradients) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Result one = run(at::kFloat, at::kFloat, false);
  at::set_num_threads(3);
  const Result three = run(at::kFloat, at::kFloat, false);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(one.normed, three.normed));
  EXPECT_TRUE(at::equal(one.x, three.x));
  const c10::InferenceMode inference;
  const NormedSum again = add_layer_norm(off_centre({3, 29, width_}, 3),
                                         off_centre({3, 29, width_}, 4), weight_, bias_, kEps);
  EXPECT_TRUE(at::equal(again.sum, one.sum));
  EXPECT_TRUE(at::equal(again.normed, one.normed));
}

TEST_P(AddLayerNorm, UnderAutocastTheNormedAreRoundedOnce) {
  const Result plain = run(at::kFloat, at::kFloat, false);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  const NormedSum cast = add_layer_norm(off_centre({3, 29, width_}, 3),
                                        off_centre({3, 29, width_}, 4), weight_, bias_, kEps);
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_TRUE(at::equal(cast.sum, plain.sum));
  EXPECT_TRUE(at::equal(cast.normed, plain.normed.to(cast.normed.scalar_type())));
}

}  // namespace
}  // namespace petlab::kernels
