#include "petlab/kernels/shared_attention.hpp"

#include "tensors.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <vector>

namespace petlab::kernels {
namespace {

using Group = SharedSequences::Group;
using Position = SharedSequences::Position;

at::Tensor random(at::IntArrayRef shape, std::uint64_t seed, at::ScalarType type = at::kFloat) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::empty(shape, at::kDouble).normal_(0, 1, generator).to(type);
}

/// What a batch of texts looks like: a first row that all prefixes share, rows of each prefix, and
/// sequences of different lengths. `n_queries` of the last positions of each sequence are needed.
struct TextBatch {
  std::vector<std::vector<std::int64_t>> lengths;  // of the sequences of each group
  std::int64_t prefix = 3;
  std::int64_t n_queries = 100;
  bool has_own_queries = false;

  [[nodiscard]] std::int64_t rows() const {
    std::int64_t n = 1;
    for (const auto& group : lengths) {
      n += prefix - 1;
      for (const std::int64_t length : group)
        n += length;
    }
    return n + 1;  // the last row is nobody's
  }

  [[nodiscard]] SharedSequences make() const {
    std::vector<Group> groups;
    std::int32_t row = 1;
    std::int32_t out = 0;
    const auto position = [&](std::int32_t of_row, bool is_needed) {
      const std::int32_t made = is_needed ? out++ : -1;
      return Position{.row = of_row, .out = made, .query = has_own_queries ? made : of_row};
    };
    for (const auto& group_lengths : lengths) {
      Group& group = groups.emplace_back();
      const bool all = n_queries > 1;
      group.prefix.push_back(position(0, all && groups.size() == 1));
      for (std::int64_t i = 1; i < prefix; ++i)
        group.prefix.push_back(position(row++, all && i + 1 < prefix));
      for (const std::int64_t length : group_lengths) {
        auto& sequence = group.sequences.emplace_back();
        for (std::int64_t i = 0; i < length; ++i)
          sequence.push_back(position(row++, i + n_queries >= length));
      }
    }
    return {groups, rows(), out};
  }
};

const std::vector<TextBatch> kCases = {
    {{{4}}},
    {{{1, 5, 2, 7}, {3}, {2, 2}}},
    {{{1, 5, 2, 7}, {3}, {2, 2}}, 1},
    {{{1, 5, 2, 7}, {3}, {2, 2}}, 20, 1, true},
    {{std::vector<std::int64_t>(70, 4), std::vector<std::int64_t>(33, 5)}, 18},
};

std::vector<at::Tensor> run(const TextBatch& c, std::int64_t width, std::int64_t heads,
                            at::ScalarType type, AttentionPath path) {
  const SharedSequences sequences = c.make();
  std::vector<at::Tensor> inputs;
  at::Tensor out;
  if (c.has_own_queries) {
    inputs.push_back(random({sequences.n_out(), width}, 1, type).requires_grad_(true));
    inputs.push_back(random({c.rows(), 2 * width}, 2, type).requires_grad_(true));
    out = shared_attention(inputs[0], inputs[1], heads, sequences, path);
  } else {
    inputs.push_back(random({c.rows(), 3 * width}, 1, type).requires_grad_(true));
    out = shared_attention(inputs[0], heads, sequences, path);
  }
  auto result = torch::autograd::grad({out}, inputs, {random(out.sizes(), 3, type)});
  result.push_back(out.detach());
  return result;
}

TEST(SharedAttention, TheKernelEqualsTheLibrary) {
  for (const TextBatch& c : kCases) {
    for (const auto& [width, heads] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{24, 2}, {64, 4}, {128, 2}}) {
      const auto exact = run(c, width, heads, at::kDouble, AttentionPath::library);
      const auto library = run(c, width, heads, at::kFloat, AttentionPath::library);
      const auto kernel = run(c, width, heads, at::kFloat, AttentionPath::fastest);
      const auto reduced = run(c, width, heads, at::kBFloat16, AttentionPath::fastest);
      for (std::size_t i = 0; i < exact.size(); ++i) {
        const double size = std::max(1.0, exact[i].abs().max().item<double>());
        // Sums of at most 103 sequences in fp32; the inputs of `reduced` have 8 bits.
        EXPECT_LE(test::distance(library[i], exact[i]), 5e-6 * size) << i;
        EXPECT_LE(test::distance(kernel[i], exact[i]), 5e-6 * size) << i;
        EXPECT_LE(test::distance(reduced[i], exact[i]), 0.05 * size) << i;
        EXPECT_EQ(reduced[i].scalar_type(), at::kBFloat16);
      }
    }
  }
}

TEST(SharedAttention, EqualsAttentionOfEverySequenceByItself) {
  const TextBatch c{{{2, 4}, {3}}, 3};
  const at::Tensor qkv = random({c.rows(), 3 * 8}, 5);
  const at::Tensor out = shared_attention(qkv, 2, c.make());
  // The rows of the second sequence of the first group and of the only one of the second.
  const std::vector<std::pair<std::vector<std::int64_t>, std::int64_t>> sequences = {
      {{0, 1, 2, 5, 6, 7, 8}, 4}, {{0, 9, 10, 11, 12, 13}, 3}};
  std::vector<std::int64_t> outs = {4, 9};  // 0, 1; 2, 3; 4..7; 8: a prefix; 9..11
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const auto& [rows, own] = sequences[s];
    const at::Tensor x = qkv.index_select(0, at::tensor(rows, at::kLong))
                             .view({static_cast<std::int64_t>(rows.size()), 3, 2, 4})
                             .permute({1, 2, 0, 3})
                             .unsqueeze(1);
    const at::Tensor all = at::scaled_dot_product_attention(x[0], x[1], x[2], {}, 0.0, true)[0]
                               .transpose(0, 1)
                               .reshape({static_cast<std::int64_t>(rows.size()), 8});
    EXPECT_LE(test::distance(out.narrow(0, outs[s], own), all.narrow(0, all.size(0) - own, own)),
              2e-6);
  }
}

TEST(SharedAttention, IsTheSameForAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = run(kCases.back(), 64, 4, at::kFloat, AttentionPath::fastest);
  at::set_num_threads(3);
  const auto three = run(kCases.back(), 64, 4, at::kFloat, AttentionPath::fastest);
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < one.size(); ++i)
    EXPECT_TRUE(at::equal(one[i], three[i])) << i;
}

TEST(SharedAttention, CountsThePairsThatSeeEachOther) {
  const TextBatch c{{{2, 4}}, 3};
  // Two of the prefix's three positions have queries; 3 keys stand before those of the sequences.
  EXPECT_EQ(c.make().n_pairs(), (1 + 2) + (4 + 5) + (4 + 5 + 6 + 7));
}

}  // namespace
}  // namespace petlab::kernels
