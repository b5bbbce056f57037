#include "model_fixture.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

// The image tower in two parts, the lower one without changes: what images that are seen more than
// once are kept behind.
namespace petlab::clip {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kImageLayers = 3;
constexpr std::int64_t kImageWidth = 32;

class VisionStream : public ::testing::Test {
 protected:
  /// Two prompts and a low-rank change at each layer from `first` on.
  [[nodiscard]] sdk::TowerChanges changes_from(std::int64_t first, std::uint64_t seed) const {
    sdk::TowerChanges changes;
    for (std::int64_t layer = first; layer < kImageLayers; ++layer) {
      const auto at = seed * 10 + static_cast<std::uint64_t>(layer);
      changes.prompts.push_back(
          {layer, test::random_tensor({2, kImageWidth}, at).set_requires_grad(true)});
      sdk::LowRank low_rank;
      low_rank.layer = layer;
      low_rank.map = sdk::LinearMap::v;
      low_rank.down = test::random_tensor({2, kImageWidth}, at + 100).set_requires_grad(true);
      low_rank.up = test::random_tensor({kImageWidth, 2}, at + 200).set_requires_grad(true);
      changes.low_ranks.push_back(low_rank);
    }
    return changes;
  }

  /// Gradients of everything in `changes` for a loss on `features`.
  [[nodiscard]] static std::vector<at::Tensor> gradients(const sdk::TowerChanges& changes,
                                                         const at::Tensor& features) {
    std::vector<at::Tensor> leaves;
    for (const auto& [layer, tokens] : changes.prompts)
      leaves.push_back(tokens);
    for (const sdk::LowRank& change : changes.low_ranks) {
      leaves.push_back(change.down);
      leaves.push_back(change.up);
    }
    for (at::Tensor& leaf : leaves)
      leaf.mutable_grad().reset();
    (features * test::random_tensor(features.sizes(), 77)).sum().backward();
    std::vector<at::Tensor> result;
    for (const at::Tensor& leaf : leaves)
      result.push_back(leaf.grad().clone());
    return result;
  }

  std::shared_ptr<Backbone> backbone_ = test::small_backbone();
  at::Tensor pixels_ = test::random_tensor({4, 3, 16, 16}, 5);
};

TEST_F(VisionStream, TheTwoPartsAreTheTower) {
  const sdk::TowerChanges one = changes_from(kImageLayers - 1, 1);
  const sdk::TowerChanges other = changes_from(kImageLayers - 1, 2);
  TowerBatch batch =
      stack_changes({{&one}, {&other}}, kImageLayers, at::tensor({0, 0, 0, 1}, at::kLong));
  batch.set_sizes = {3, 1};
  for (std::int64_t layers = 1; layers < kImageLayers; ++layers) {
    const at::Tensor stream = backbone_->encode_image_below(pixels_, layers);
    EXPECT_FALSE(stream.requires_grad());
    const at::Tensor whole = backbone_->encode_image(pixels_, batch);
    const at::Tensor parts = backbone_->encode_image_above(stream, layers, batch);
    EXPECT_LE(test::distance(parts, whole), 1e-6) << layers;
    for (const sdk::TowerChanges* changes : {&one, &other}) {
      const auto expected = gradients(*changes, backbone_->encode_image(pixels_, batch));
      const auto found = gradients(*changes, backbone_->encode_image_above(stream, layers, batch));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_GT(expected[i].abs().max().item<double>(), 0.0);
        EXPECT_LE(test::distance(found[i], expected[i]), 1e-5) << layers;
      }
    }
  }
}

TEST_F(VisionStream, RefusesChangesBelowIt) {
  const at::Tensor stream = backbone_->encode_image_below(pixels_, 2);
  const auto refused = [&](const sdk::TowerChanges& changes) {
    const TowerBatch batch = stack_changes({{&changes}}, kImageLayers, {});
    return test::error_of([&] { (void)backbone_->encode_image_above(stream, 2, batch); });
  };
  sdk::TowerChanges prompts = changes_from(1, 1);
  sdk::TowerChanges modules = prompts;
  prompts.low_ranks.clear();
  modules.prompts.clear();
  sdk::TowerChanges embeddings;
  embeddings.affines.push_back({.layer = 0,
                                .place = sdk::AffinePlace::embeddings,
                                .scale = at::ones({kImageWidth}),
                                .shift = {}});
  for (const sdk::TowerChanges& changes : {prompts, modules, embeddings})
    EXPECT_THAT(refused(changes), HasSubstr("first 2 layers"));
  EXPECT_THAT(
      test::error_of([&] { (void)backbone_->encode_image_above(stream.narrow(1, 0, 3), 2, {}); }),
      HasSubstr("expected [B, 5, 32]"));
}

}  // namespace
}  // namespace petlab::clip
