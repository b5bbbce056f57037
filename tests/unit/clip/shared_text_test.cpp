#include "model_fixture.hpp"
#include "petlab/clip/text_memory.hpp"
#include "text_chunks.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// The text tower with rows that texts share against the plain one, which computes every text by
// itself: features and gradients of everything that can be trained.
namespace petlab::clip {
namespace {

constexpr std::int64_t kTextWidth = 24;
constexpr std::int64_t kTextLayers = 2;
// Both paths round sums of about a hundred terms of size 1 in different orders.
constexpr double kBound = 2e-5;

/// Adapters and the leaves that are trained.
struct Trained {
  std::vector<sdk::TowerChanges> changes;
  std::vector<at::Tensor> leaves;
  WeightOverrides overrides;

  at::Tensor leaf(at::IntArrayRef shape) {
    leaves.push_back(
        test::random_tensor(shape, 1000 + leaves.size()).mul_(0.3).requires_grad_(true));
    return leaves.back();
  }

  Trained& prompts(const std::vector<std::int64_t>& layers, std::int64_t n) {
    for (sdk::TowerChanges& one : changes)
      for (const std::int64_t layer : layers)
        one.prompts.push_back({layer, leaf({n, kTextWidth})});
    return *this;
  }

  Trained& modules() {
    using enum sdk::BottleneckSite;
    for (sdk::TowerChanges& one : changes) {
      for (std::int64_t layer = 0; layer < kTextLayers; ++layer) {
        for (const auto site : {after_attention, after_mlp, parallel_attention, parallel_mlp})
          one.bottlenecks.push_back({.layer = layer,
                                     .site = site,
                                     .down = leaf({3, kTextWidth}),
                                     .down_bias = leaf({3}),
                                     .up = leaf({kTextWidth, 3}),
                                     .up_bias = {},
                                     .nonlinearity = sdk::Nonlinearity::gelu,
                                     .scale = {},
                                     .norm_weight = {},
                                     .norm_bias = {}});
        for (const auto map :
             {sdk::LinearMap::q, sdk::LinearMap::k, sdk::LinearMap::v, sdk::LinearMap::out})
          one.low_ranks.push_back({.layer = layer,
                                   .map = map,
                                   .down = leaf({2, kTextWidth}),
                                   .up = leaf({kTextWidth, 2}),
                                   .scale = 0.5});
        for (const auto place : {sdk::AffinePlace::norm1, sdk::AffinePlace::q,
                                 sdk::AffinePlace::attention, sdk::AffinePlace::mlp})
          one.affines.push_back({.layer = layer,
                                 .place = place,
                                 .scale = leaf({kTextWidth}),
                                 .shift = leaf({kTextWidth})});
      }
      for (const auto place : {sdk::AffinePlace::embeddings, sdk::AffinePlace::final_norm})
        one.affines.push_back(
            {.layer = 0, .place = place, .scale = leaf({kTextWidth}), .shift = leaf({kTextWidth})});
    }
    return *this;
  }
};

Trained sets(std::size_t n) {
  Trained trained;
  trained.changes.resize(n);
  return trained;
}

class SharedText : public ::testing::Test {
 protected:
  TokenBatch tokens_of(const std::vector<std::string>& texts) const {
    return backbone_->tokenizer().encode_batch(texts, 20);
  }

  /// Features and the gradients of all leaves for a fixed sum of them.
  std::vector<at::Tensor> run(const TokenBatch& tokens, TowerBatch batch, const Trained& trained,
                              TextPath path) const {
    batch.text_path = path;
    const at::Tensor features = backbone_->encode_text(tokens, batch, trained.overrides);
    std::vector<at::Tensor> result{features.detach()};
    if (trained.leaves.empty()) return result;
    const at::Tensor loss =
        (features.to(at::kFloat) * test::random_tensor(features.sizes(), 77)).sum();
    for (const at::Tensor& grad :
         torch::autograd::grad({loss}, trained.leaves, /*grad_outputs=*/{},
                               /*retain_graph=*/c10::nullopt, /*create_graph=*/false,
                               /*allow_unused=*/true))
      result.push_back(grad);
    return result;
  }

  void expect_equal(const TokenBatch& tokens, const TowerBatch& batch, const Trained& trained,
                    const std::string& what, double bound = kBound) const {
    const auto shared = run(tokens, batch, trained, TextPath::shared);
    const auto plain = run(tokens, batch, trained, TextPath::plain);
    ASSERT_EQ(shared.size(), plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      ASSERT_EQ(shared[i].defined(), plain[i].defined()) << what << ", leaf " << i;
      if (!plain[i].defined()) continue;
      const double size = std::max(1.0, plain[i].abs().max().item<double>());
      EXPECT_LE(test::distance(shared[i], plain[i]), bound * size) << what << ", leaf " << i;
    }
  }

  static TowerBatch batch_of(const Trained& trained, const std::vector<std::int64_t>& sizes) {
    std::vector<std::vector<const sdk::TowerChanges*>> all;
    std::vector<std::int64_t> set_of_text;
    for (std::size_t set = 0; set < trained.changes.size(); ++set) {
      all.push_back({&trained.changes[set]});
      set_of_text.insert(set_of_text.end(), static_cast<std::size_t>(sizes[set]),
                         static_cast<std::int64_t>(set));
    }
    TowerBatch batch = stack_changes(
        all, kTextLayers, all.size() > 1 ? at::tensor(set_of_text, at::kLong) : at::Tensor());
    batch.set_sizes = sizes;
    return batch;
  }

  std::shared_ptr<Backbone> backbone_ = test::small_backbone();
  TokenBatch ragged_ = tokens_of({"a photo of a dog.", "a photo of a lamp bed.", "a photo of a bed",
                                  "a photo of a dog", "a photo of a red dog", "a photo of a x."});
};

const std::vector<std::vector<std::int64_t>> kPlaces = {{0}, {0, 1}, {1}};

TEST_F(SharedText, IsThePlainTowerWithoutAdapters) {
  expect_equal(ragged_, {}, sets(0), "a template");
  expect_equal(tokens_of({"dog", "alarm clock", "bed"}), {}, sets(0), "names alone");
  expect_equal(tokens_of({"a photo of a dog."}), {}, sets(0), "one text");
  expect_equal(tokens_of({"a dog", "a dog", "a dog"}), {}, sets(0), "equal texts");
  expect_equal(tokens_of({"", "a dog"}), {}, sets(0), "an empty text");
}

TEST_F(SharedText, SharesPromptsOfOneSet) {
  for (const auto& layers : kPlaces) {
    Trained trained = sets(1);
    trained.prompts(layers, 3);
    const std::string what = "prompts of " + std::to_string(layers.size()) + " layers";
    expect_equal(ragged_, batch_of(trained, {6}), trained, what);
    expect_equal(tokens_of({"dog", "alarm clock"}), batch_of(trained, {2}), trained,
                 what + ", names alone");
    expect_equal(tokens_of({"a photo of a dog."}), batch_of(trained, {1}), trained,
                 what + ", one text");
  }
}

TEST_F(SharedText, SharesPromptsWithinSets) {
  for (const auto& layers : kPlaces) {
    Trained trained = sets(3);
    trained.prompts(layers, 2);
    expect_equal(ragged_, batch_of(trained, {2, 3, 1}), trained, "three sets");
    TowerBatch mixed = batch_of(trained, {2, 3, 1});
    mixed.set_of_sample = at::tensor({2, 0, 1, 0, 2, 2}, at::kLong);
    expect_equal(ragged_, mixed, trained, "three sets in any order");
    mixed.set_of_sample = at::tensor({2, 0, 2, 0, 2, 2}, at::kLong);
    expect_equal(ragged_, mixed, trained, "a set without texts");
  }
}

TEST_F(SharedText, TextsMayHavePromptsOfTheirOwn) {
  for (const auto& layers : kPlaces) {
    Trained trained = sets(6);
    trained.prompts(layers, 2);
    expect_equal(ragged_, batch_of(trained, {1, 1, 1, 1, 1, 1}), trained, "class contexts");
  }
}

TEST_F(SharedText, ModulesSeeEveryRow) {
  for (const auto& layers : {std::vector<std::int64_t>{}, std::vector<std::int64_t>{0},
                             std::vector<std::int64_t>{0, 1}, std::vector<std::int64_t>{1}}) {
    Trained one = sets(1);
    one.modules().prompts(layers, 2);
    expect_equal(ragged_, batch_of(one, {6}), one, "modules of one set");
    Trained two = sets(2);
    two.modules().prompts(layers, 2);
    expect_equal(ragged_, batch_of(two, {4, 2}), two, "modules of two sets");
    // Prompts of a text each, modules of two sets: two images of a conditioned method, say.
    TowerBatch own = batch_of(two, {4, 2});
    for (at::Tensor& tokens : own.layers)
      if (tokens.defined()) tokens = tokens.repeat({3, 1, 1});
    if (own.layers.empty()) continue;
    own.set_of_sample = at::arange(6, at::kLong);
    expect_equal(ragged_, own, two, "modules of two sets, prompts of each text");
  }
}

TEST_F(SharedText, TrainsWeightsThroughSharedRows) {
  Trained trained = sets(1);
  trained.prompts({0}, 2);
  for (const sdk::NamedTensor& weight : backbone_->weights()) {
    if (!weight.name.starts_with("text_")) continue;
    const at::Tensor leaf = weight.value.clone().requires_grad_(true);
    trained.leaves.push_back(leaf);
    trained.overrides.emplace(weight.name, leaf);
  }
  ASSERT_GT(trained.leaves.size(), 30U);
  expect_equal(ragged_, batch_of(trained, {6}), trained, "all weights");
  expect_equal(ragged_, {}, trained, "all weights, no prompts");
}

TEST_F(SharedText, RunsUnderAutocast) {
  Trained trained = sets(2);
  trained.prompts({0, 1}, 2);
  const TowerBatch batch = batch_of(trained, {4, 2});
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const auto shared = run(ragged_, batch, trained, TextPath::shared);
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  const auto exact = run(ragged_, batch, trained, TextPath::plain);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double size = exact[i].abs().max().item<double>();
    EXPECT_LE(test::distance(shared[i].to(at::kFloat), exact[i]), 0.05 * size) << i;
  }
}

TEST_F(SharedText, KeptLayoutsChangeNothing) {
  TokenBatch kept = ragged_;
  kept.layouts = keep_layouts();
  Trained trained = sets(2);
  trained.prompts({0}, 2);
  const TowerBatch batch = batch_of(trained, {4, 2});
  const TowerBatch other = batch_of(trained, {1, 5});
  for (const TowerBatch* some : {&batch, &other, &batch}) {
    const auto fresh = run(ragged_, *some, trained, TextPath::shared);
    const auto again = run(kept, *some, trained, TextPath::shared);
    for (std::size_t i = 0; i < fresh.size(); ++i)
      EXPECT_TRUE(at::equal(fresh[i], again[i])) << i;
  }
}

TEST_F(SharedText, TextsWithoutACommonStartAreComputedByThemselves) {
  TokenBatch other = ragged_;
  other.ids = other.ids.clone();
  other.ids[1][0] = 7;
  TowerBatch plain;
  plain.text_path = TextPath::plain;
  EXPECT_TRUE(at::equal(backbone_->encode_text(other), backbone_->encode_text(other, plain)));
}

TEST_F(SharedText, ChunksThatAreComputedAgainEqualTheWhole) {
  const auto expect_chunks_equal = [&](TowerBatch batch, const Trained& trained, const char* what) {
    const auto whole = run(ragged_, batch, trained, TextPath::shared);
    // One to three rows of activations: a chunk a text, and two or three texts a chunk.
    for (const std::int64_t budget : {1, 60'000, 100'000}) {
      batch.text_budget = budget;
      for (const TextPath path : {TextPath::shared, TextPath::plain}) {
        const auto chunks = run(ragged_, batch, trained, path);
        for (std::size_t i = 0; i < whole.size(); ++i) {
          const double size = std::max(1.0, whole[i].abs().max().item<double>());
          EXPECT_LE(test::distance(chunks[i], whole[i]), kBound * size)
              << what << ", budget " << budget << ", leaf " << i;
        }
      }
    }
  };
  Trained prompts = sets(3);
  prompts.prompts({0, 1}, 2);
  expect_chunks_equal(batch_of(prompts, {1, 4, 1}), prompts, "prompts");
  Trained modules = sets(2);
  modules.modules().prompts({0}, 2);
  expect_chunks_equal(batch_of(modules, {4, 2}), modules, "modules");
  Trained weights = sets(1);
  weights.prompts({1}, 2);
  for (const sdk::NamedTensor& weight : backbone_->weights()) {
    if (!weight.name.starts_with("text_")) continue;
    weights.leaves.push_back(weight.value.clone().requires_grad_(true));
    weights.overrides.emplace(weight.name, weights.leaves.back());
  }
  expect_chunks_equal(batch_of(weights, {6}), weights, "weights");
}

TEST_F(SharedText, ChunksAreTheTextsThatTheBudgetHolds) {
  Trained trained = sets(1);
  trained.prompts({0}, 2);
  TowerBatch batch = batch_of(trained, {6});
  const std::int64_t rows = text_rows(ragged_, 2);
  EXPECT_LT(rows, text_rows(ragged_, 2, 1, TextPath::plain));
  const std::int64_t bytes = rows * text_activation_bytes(backbone_->shape().text, false);
  EXPECT_EQ(text_activation_bytes(backbone_->shape().text, false), 2 * 4 * (2 * 24 + 3 * 24 + 48));
  EXPECT_EQ(texts_per_chunk(backbone_->config(), ragged_, batch, {}), 6);
  batch.text_budget = bytes;
  EXPECT_EQ(texts_per_chunk(backbone_->config(), ragged_, batch, {}), 6);
  batch.text_budget = bytes - 1;
  EXPECT_EQ(texts_per_chunk(backbone_->config(), ragged_, batch, {}), 3);
  batch.text_budget = 1;
  EXPECT_EQ(texts_per_chunk(backbone_->config(), ragged_, batch, {}), 1);
  const at::NoGradGuard no_grad;
  EXPECT_EQ(texts_per_chunk(backbone_->config(), ragged_, batch, {}), 6);
}

/// Bytes that tensors of this thread hold, and the most that they held.
class MemoryMeter final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*place*/, std::int64_t size, std::size_t /*allocated*/,
                         std::size_t /*reserved*/, c10::Device /*device*/) override {
    held_ += size;
    peak_ = std::max(peak_, held_);
  }
  [[nodiscard]] bool memoryProfilingEnabled() const override { return true; }
  [[nodiscard]] std::int64_t peak() const { return peak_; }

 private:
  std::int64_t held_ = 0;
  std::int64_t peak_ = 0;
};

TEST_F(SharedText, MemoryStaysBoundedAsClassesGrow) {
  Trained trained = sets(1);
  trained.prompts({0}, 2);
  const auto peak_of = [&](std::int64_t n, std::int64_t budget) {
    std::vector<std::string> texts;
    for (std::int64_t i = 0; i < n; ++i)
      texts.push_back("a photo of a " + std::string(static_cast<std::size_t>(1 + i % 3),
                                                    static_cast<char>('a' + i % 26)));
    const TokenBatch tokens = tokens_of(texts);
    TowerBatch batch = batch_of(trained, {n});
    batch.text_budget = budget;
    const auto meter = std::make_shared<MemoryMeter>();
    {
      const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
      (void)run(tokens, batch, trained, TextPath::shared);
    }
    return std::pair(meter->peak(),
                     text_rows(tokens, 2) * text_activation_bytes(backbone_->shape().text, false));
  };
  const auto [small, small_predicted] = peak_of(100, kTextBudget);
  const auto [large, large_predicted] = peak_of(1600, kTextBudget);
  // Without chunks memory grows with the classes, about as predicted.
  EXPECT_GT(large, 10 * small);
  EXPECT_GT(large, large_predicted * 3 / 4);
  EXPECT_LT(large, large_predicted * 2);
  const auto [chunked, unused] = peak_of(1600, small_predicted);
  // Tokens, features and their gradients of all classes are left.
  EXPECT_LT(chunked, 2 * small + 1600 * 16 * 4 * 8);
  EXPECT_LT(chunked, large / 5);
}

}  // namespace
}  // namespace petlab::clip
