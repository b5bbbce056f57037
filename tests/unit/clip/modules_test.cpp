#include "model_fixture.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

// Modules against weights that do the same: a low-rank change is another weight matrix, an affine
// change of a linear map or a norm is another weight and bias, and a linear module behind a branch
// is another output map. Every layer is tried, so that the last one, of which only the pooled
// position is computed, is too.
namespace petlab::clip {
namespace {

struct Tower {
  const char* prefix;
  std::int64_t layers;
  std::int64_t width;
  std::int64_t mlp_width;
  bool is_text;
};

using Sets = std::vector<std::vector<const sdk::TowerChanges*>>;

/// A batch that changes nothing but modules.
TowerBatch module_batch(Sets sets, std::vector<std::int64_t> set_sizes = {}) {
  TowerBatch batch;
  batch.sets = std::move(sets);
  batch.set_sizes = std::move(set_sizes);
  return batch;
}

class Modules : public ::testing::Test {
 protected:
  Modules() {
    for (const auto& [name, value] : backbone_->weights())
      weights_[name] = value;
  }

  [[nodiscard]] std::vector<Tower> towers() const {
    const sdk::BackboneShape& s = backbone_->shape();
    return {{"vision_model", s.vision.layers, s.vision.width, s.vision.mlp_width, false},
            {"text_model", s.text.layers, s.text.width, s.text.mlp_width, true}};
  }

  [[nodiscard]] static std::string name_of(const Tower& tower, std::int64_t layer,
                                           const std::string& part) {
    return std::string(tower.prefix) + ".encoder.layers." + std::to_string(layer) + "." + part;
  }

  [[nodiscard]] at::Tensor run(const Tower& tower, const TowerBatch& batch,
                               const WeightOverrides& overrides = {}) const {
    return tower.is_text ? backbone_->encode_text(tokens_, batch, overrides)
                         : backbone_->encode_image(pixels_, batch, overrides);
  }

  /// The tower with `changes` gives what it gives with `overrides`, and not what it gives without.
  void expect_same(const Tower& tower, const sdk::TowerChanges& changes,
                   const WeightOverrides& overrides, const std::string& what) const {
    const at::Tensor changed = run(tower, module_batch({{&changes}}));
    EXPECT_LE(test::distance(changed, run(tower, {}, overrides)), 2e-5) << what;
    EXPECT_GT(test::distance(changed, run(tower, {})), 1e-3) << what;
  }

  std::shared_ptr<Backbone> backbone_ = test::small_backbone();
  std::unordered_map<std::string, at::Tensor> weights_;
  std::vector<std::string> texts_{"a photo of a dog.", "a bed", "a photo of an alarm clock.",
                                  "dog"};
  TokenBatch tokens_ = backbone_->tokenizer().encode_batch(texts_, 20);
  at::Tensor pixels_ = test::random_tensor({4, 3, 16, 16}, 5);
};

const std::vector<std::pair<sdk::LinearMap, const char*>> kMaps = {
    {sdk::LinearMap::q, "self_attn.q_proj"}, {sdk::LinearMap::k, "self_attn.k_proj"},
    {sdk::LinearMap::v, "self_attn.v_proj"}, {sdk::LinearMap::out, "self_attn.out_proj"},
    {sdk::LinearMap::fc1, "mlp.fc1"},        {sdk::LinearMap::fc2, "mlp.fc2"}};

TEST_F(Modules, ALowRankChangeIsAnotherMatrix) {
  for (const Tower& tower : towers()) {
    for (std::int64_t layer = 0; layer < tower.layers; ++layer) {
      for (const auto& [map, part] : kMaps) {
        const std::string name = name_of(tower, layer, std::string(part) + ".weight");
        const at::Tensor& w = weights_.at(name);
        const at::Tensor down = test::random_tensor({2, w.size(1)}, 11);
        const at::Tensor up = test::random_tensor({w.size(0), 2}, 12);
        sdk::TowerChanges changes;
        changes.low_ranks = {{.layer = layer, .map = map, .down = down, .up = up, .scale = 0.5}};
        expect_same(tower, changes, {{name, w + 0.5 * at::matmul(up, down)}}, name);
      }
    }
  }
}

TEST_F(Modules, AnAffineChangeOfAMapIsAnotherMatrixAndBias) {
  const std::vector<std::pair<sdk::AffinePlace, const char*>> places = {
      {sdk::AffinePlace::q, "self_attn.q_proj"},
      {sdk::AffinePlace::v, "self_attn.v_proj"},
      {sdk::AffinePlace::k, "self_attn.k_proj"},
      {sdk::AffinePlace::attention, "self_attn.out_proj"},
      {sdk::AffinePlace::fc1, "mlp.fc1"},
      {sdk::AffinePlace::mlp, "mlp.fc2"}};
  for (const Tower& tower : towers()) {
    for (std::int64_t layer = 0; layer < tower.layers; ++layer) {
      for (const auto& [place, part] : places) {
        const std::string name = name_of(tower, layer, part);
        const at::Tensor& w = weights_.at(name + ".weight");
        const at::Tensor scale = test::random_tensor({w.size(0)}, 21) + 1.0;
        const at::Tensor shift = test::random_tensor({w.size(0)}, 22);
        sdk::TowerChanges changes;
        changes.affines = {{.layer = layer, .place = place, .scale = scale, .shift = shift}};
        expect_same(tower, changes,
                    {{name + ".weight", w * scale.unsqueeze(1)},
                     {name + ".bias", weights_.at(name + ".bias") * scale + shift}},
                    name);
      }
    }
  }
}

TEST_F(Modules, AnAffineChangeOfANormIsAnotherNorm) {
  for (const Tower& tower : towers()) {
    std::vector<std::tuple<sdk::AffinePlace, std::int64_t, std::string>> places;
    for (std::int64_t layer = 0; layer < tower.layers; ++layer) {
      places.emplace_back(sdk::AffinePlace::norm1, layer, name_of(tower, layer, "layer_norm1"));
      places.emplace_back(sdk::AffinePlace::norm2, layer, name_of(tower, layer, "layer_norm2"));
    }
    if (tower.is_text) {
      places.emplace_back(sdk::AffinePlace::final_norm, 0, "text_model.final_layer_norm");
    } else {
      places.emplace_back(sdk::AffinePlace::pre_norm, 0, "vision_model.pre_layrnorm");
      places.emplace_back(sdk::AffinePlace::final_norm, 0, "vision_model.post_layernorm");
    }
    const at::Tensor scale = test::random_tensor({tower.width}, 31) + 1.0;
    const at::Tensor shift = test::random_tensor({tower.width}, 32);
    for (const auto& [place, layer, name] : places) {
      sdk::TowerChanges changes;
      changes.affines = {{.layer = layer, .place = place, .scale = scale, .shift = shift}};
      expect_same(tower, changes,
                  {{name + ".weight", weights_.at(name + ".weight") * scale},
                   {name + ".bias", weights_.at(name + ".bias") * scale + shift}},
                  name);
    }
  }
}

TEST_F(Modules, AScaleOfTheHiddenValuesIsAScaleOfTheNextMatrix) {
  for (const Tower& tower : towers()) {
    for (std::int64_t layer = 0; layer < tower.layers; ++layer) {
      const std::string name = name_of(tower, layer, "mlp.fc2.weight");
      const at::Tensor scale = test::random_tensor({tower.mlp_width}, 41) + 1.0;
      sdk::TowerChanges changes;
      changes.affines = {
          {.layer = layer, .place = sdk::AffinePlace::hidden, .scale = scale, .shift = {}}};
      expect_same(tower, changes, {{name, weights_.at(name) * scale}}, name);
    }
  }
}

TEST_F(Modules, ALinearModuleBehindABranchIsAnotherOutputMap) {
  const std::vector<std::pair<sdk::BottleneckSite, const char*>> sites = {
      {sdk::BottleneckSite::after_attention, "self_attn.out_proj"},
      {sdk::BottleneckSite::after_mlp, "mlp.fc2"}};
  for (const Tower& tower : towers()) {
    for (std::int64_t layer = 0; layer < tower.layers; ++layer) {
      for (const auto& [site, part] : sites) {
        const std::string name = name_of(tower, layer, part);
        const at::Tensor down = test::random_tensor({3, tower.width}, 51);
        const at::Tensor up = test::random_tensor({tower.width, 3}, 52);
        const at::Tensor up_bias = test::random_tensor({tower.width}, 53);
        sdk::TowerChanges changes;
        changes.bottlenecks = {{.layer = layer,
                                .site = site,
                                .down = down,
                                .down_bias = {},
                                .up = up,
                                .up_bias = up_bias,
                                .nonlinearity = sdk::Nonlinearity::none,
                                .scale = at::scalar_tensor(0.25),
                                .norm_weight = {},
                                .norm_bias = {}}};
        const at::Tensor map = at::eye(tower.width) + 0.25 * at::matmul(up, down);
        expect_same(
            tower, changes,
            {{name + ".weight", at::matmul(map, weights_.at(name + ".weight"))},
             {name + ".bias", at::matmul(map, weights_.at(name + ".bias")) + 0.25 * up_bias}},
            name);
      }
    }
  }
}

/// One of everything at every layer.
sdk::TowerChanges one_of_everything(const Tower& tower, std::uint64_t seed) {
  sdk::TowerChanges changes;
  using enum sdk::BottleneckSite;
  for (std::int64_t layer = 0; layer < tower.layers; ++layer) {
    for (const auto site : {after_attention, after_mlp, parallel_attention, parallel_mlp})
      changes.bottlenecks.push_back({.layer = layer,
                                     .site = site,
                                     .down = test::random_tensor({3, tower.width}, ++seed),
                                     .down_bias = test::random_tensor({3}, ++seed),
                                     .up = test::random_tensor({tower.width, 3}, ++seed),
                                     .up_bias = {},
                                     .nonlinearity = sdk::Nonlinearity::gelu,
                                     .scale = {},
                                     .norm_weight = at::ones({tower.width}),
                                     .norm_bias = at::zeros({tower.width})});
    for (const auto& [map, part] : kMaps)
      changes.low_ranks.push_back(
          {.layer = layer,
           .map = map,
           .down = test::random_tensor(
               {2, map == sdk::LinearMap::fc2 ? tower.mlp_width : tower.width}, ++seed),
           .up = test::random_tensor(
               {map == sdk::LinearMap::fc1 ? tower.mlp_width : tower.width, 2}, ++seed),
           .scale = 0.5});
    changes.affines.push_back({.layer = layer,
                               .place = sdk::AffinePlace::hidden,
                               .scale = test::random_tensor({tower.mlp_width}, ++seed),
                               .shift = test::random_tensor({tower.mlp_width}, ++seed)});
    changes.affines.push_back({.layer = layer,
                               .place = sdk::AffinePlace::k,
                               .scale = test::random_tensor({tower.width}, ++seed),
                               .shift = {}});
  }
  changes.affines.push_back({.layer = 0,
                             .place = sdk::AffinePlace::embeddings,
                             .scale = {},
                             .shift = test::random_tensor({tower.width}, ++seed)});
  return changes;
}

TEST_F(Modules, MixedSetsEqualTheSetsOneByOne) {
  for (const Tower& tower : towers()) {
    const sdk::TowerChanges shared = one_of_everything(tower, 1000);
    const sdk::TowerChanges first = one_of_everything(tower, 2000);
    const sdk::TowerChanges second = one_of_everything(tower, 3000);
    const at::Tensor mixed =
        run(tower, module_batch({{&shared, &first}, {&shared, &second}}, {1, 3}));
    const at::Tensor alone_first = run(tower, module_batch({{&shared, &first}}));
    const at::Tensor alone_second = run(tower, module_batch({{&shared, &second}}));
    EXPECT_LE(test::distance(mixed.narrow(0, 0, 1), alone_first.narrow(0, 0, 1)), 2e-5);
    EXPECT_LE(test::distance(mixed.narrow(0, 1, 3), alone_second.narrow(0, 1, 3)), 2e-5);
    EXPECT_GT(test::distance(alone_first, alone_second), 1e-3);
  }
}

TEST_F(Modules, SeveralSetsMustSayHowManySamplesTheyHave) {
  const sdk::TowerChanges changes = one_of_everything(towers()[0], 1);
  EXPECT_EQ(test::error_of([&] {
              (void)backbone_->encode_image(pixels_, module_batch({{&changes}, {&changes}}));
            }),
            "a batch with modules of several sets does not say how many samples each has");
}

TEST_F(Modules, FeatureAdaptersMixTheirOutputIn) {
  const std::int64_t width = backbone_->shape().embed_dim;
  sdk::TowerChanges changes;
  const at::Tensor down = test::random_tensor({2, width}, 61);
  const at::Tensor up = test::random_tensor({width, 2}, 62);
  changes.feature_adapters = {
      {.down = down, .down_bias = {}, .up = up, .up_bias = {}, .ratio = 0.2}};
  const at::Tensor f = test::random_tensor({4, width}, 63);
  const at::Tensor adapted = at::relu(at::matmul(at::relu(at::matmul(f, down.t())), up.t()));
  EXPECT_LE(test::distance(adapt_features(f, module_batch({{&changes}})), 0.2 * adapted + 0.8 * f),
            1e-6);
  const sdk::TowerChanges none;
  EXPECT_TRUE(at::equal(adapt_features(f, module_batch({{&none}})), f));
}

TEST_F(Modules, TokensStandInTheOrderAskedFor) {
  // Class name first, then the prompts: the same as prompts put by hand behind the name.
  sdk::TowerChanges changes;
  changes.prompts = {{0, test::random_tensor({2, 24}, 71)}};
  TowerBatch batch = stack_changes({{&changes}}, 2, {});
  const std::int64_t length = tokens_.ids.size(1) + 2;
  std::vector<std::int64_t> natural(static_cast<std::size_t>(length));
  for (std::size_t i = 0; i < natural.size(); ++i)
    natural[i] = static_cast<std::int64_t>(i);
  const auto order = [&](const std::vector<std::int64_t>& row) {
    return at::tensor(row, at::kLong).unsqueeze(0).repeat({4, 1});
  };
  batch.text_path = TextPath::plain;
  const at::Tensor as_it_is = backbone_->encode_text(tokens_, batch);
  batch.token_order = order(natural);
  EXPECT_TRUE(at::equal(backbone_->encode_text(tokens_, batch), as_it_is));
  std::vector<std::int64_t> swapped = natural;
  std::swap(swapped[1], swapped[2]);
  batch.token_order = order(swapped);
  sdk::TowerChanges by_hand;
  by_hand.prompts = {{0, changes.prompts[0].tokens.flip({0})}};
  EXPECT_LE(test::distance(backbone_->encode_text(tokens_, batch),
                           backbone_->encode_text(tokens_, stack_changes({{&by_hand}}, 2, {}))),
            1e-6);
}

}  // namespace
}  // namespace petlab::clip
