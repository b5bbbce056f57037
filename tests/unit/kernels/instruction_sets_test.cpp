#include "petlab/kernels/activation.hpp"
#include "petlab/kernels/attention.hpp"
#include "petlab/kernels/layer_norm.hpp"
#include "petlab/kernels/shared_attention.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdint>
#include <string>
#include <vector>

// Every kernel on every instruction set that this machine has, in one process.
namespace petlab::kernels {
namespace {

/// Instruction sets that the kernels are compiled for, the best first; `plain` is C++ without any.
struct Set {
  const char* name;
  std::int64_t target;
  bool fused;  ///< has fused multiply-add
};

std::vector<Set> sets_here() {
  std::vector<Set> here;
  for (const Set& set :
       {Set{"avx512", HWY_AVX3, true}, Set{"avx2", HWY_AVX2, true}, Set{"sse4", HWY_SSE4, false}})
    if ((hwy::SupportedTargets() & set.target) != 0) here.push_back(set);
  // Highway falls back to plain C++ where nothing else is left.
  here.push_back({"plain", HWY_SCALAR, false});
  return here;
}

/// Limits Highway to one instruction set, and back.
class Only {
 public:
  explicit Only(const Set& set) {
    hwy::SetSupportedTargetsForTest(set.target);
    hwy::GetChosenTarget().DeInit();
  }
  ~Only() {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().DeInit();
  }
  Only(const Only&) = delete;
  Only& operator=(const Only&) = delete;
};

at::Tensor drawn(at::IntArrayRef sizes, at::ScalarType type, std::uint64_t seed) {
  return at::empty(sizes)
      .normal_(0, 1, at::make_generator<at::CPUGeneratorImpl>(seed))
      .to(type)
      .set_requires_grad(true);
}

/// Results and gradients of all kernels, with sizes that are no multiple of a vector where a kernel
/// takes them.
std::vector<at::Tensor> all_results(at::ScalarType type) {
  std::vector<at::Tensor> results;
  const auto keep = [&](const at::Tensor& out, const std::vector<at::Tensor>& inputs) {
    out.backward(drawn(out.sizes(), type, 99).detach());
    results.push_back(out.detach());
    for (const at::Tensor& input : inputs)
      results.push_back(input.grad());
  };
  const at::Tensor x = drawn({7, 211}, type, 1);
  keep(quick_gelu(x * 5), {x});

  const at::Tensor stream = drawn({9, 75}, type, 2);
  const at::Tensor branch = drawn({9, 75}, type, 3);
  const at::Tensor weight = drawn({75}, at::kFloat, 4).detach();
  const at::Tensor bias = drawn({75}, at::kFloat, 5).detach();
  keep(add_layer_norm(stream, branch, weight, bias, 1e-5).normed, {stream, branch});

  const at::Tensor qkv = drawn({2, 37, 3 * 96}, type, 6);
  const at::Tensor kv = drawn({1, 5, 2 * 96}, type, 7);
  keep(self_attention(qkv, 2, true, {kv, {}}), {qkv, kv});

  std::vector<SharedSequences::Group> groups(1);
  for (std::int32_t i = 0; i < 3; ++i)
    groups[0].prefix.push_back({.row = i, .out = i, .query = i});
  for (std::int32_t s = 0; s < 4; ++s) {
    groups[0].sequences.emplace_back();
    for (std::int32_t i = 0; i < 18; ++i) {
      const std::int32_t row = 3 + 18 * s + i;
      groups[0].sequences.back().push_back({.row = row, .out = row, .query = row});
    }
  }
  const SharedSequences sequences(groups, 75, 75);
  const at::Tensor rows = drawn({75, 3 * 2 * 20}, type, 8);  // heads of 20: no multiple of 16
  keep(shared_attention(rows, 2, sequences), {rows});
  return results;
}

class InstructionSets : public ::testing::TestWithParam<at::ScalarType> {};
INSTANTIATE_TEST_SUITE_P(Types, InstructionSets, ::testing::Values(at::kFloat, at::kBFloat16));

TEST_P(InstructionSets, GiveTheSameBitsWhereTheyMultiplyAndAddAlike) {
  const std::vector<Set> sets = sets_here();
  std::vector<std::vector<at::Tensor>> results;
  for (const Set& set : sets) {
    const Only only(set);
    results.push_back(all_results(GetParam()));
  }
  for (std::size_t a = 0; a < sets.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      for (std::size_t i = 0; i < results[a].size(); ++i) {
        const at::Tensor& one = results[a][i];
        const at::Tensor& other = results[b][i];
        const std::string what =
            std::string(sets[b].name) + " and " + sets[a].name + ", result " + std::to_string(i);
        if (sets[a].fused == sets[b].fused) {
          EXPECT_TRUE(at::equal(one, other)) << what;
        } else {
          const double largest = one.abs().max().item<double>();
          const double bound = (GetParam() == at::kFloat ? 2e-6 : 0.02) * (1 + largest);
          EXPECT_LE((one - other).abs().max().item<double>(), bound) << what;
        }
      }
    }
  }
}

}  // namespace
}  // namespace petlab::kernels
