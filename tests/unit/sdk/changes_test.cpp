#include "petlab/sdk/changes.hpp"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace petlab::sdk {
namespace {

using ::testing::ElementsAre;

/// How many of a struct's members are tensors. The structured bindings below name all members: one
/// more does not compile until it is counted here, and then visit_tensors() has to have it.
template <typename... Members>
std::size_t tensors_among(const std::tuple<Members...>&) {
  return (std::size_t{0} + ... + (std::is_same_v<std::decay_t<Members>, at::Tensor> ? 1U : 0U));
}

std::size_t members(const PromptTokens& m) {
  const auto& [layer, tokens] = m;
  return tensors_among(std::tie(layer, tokens));
}
std::size_t members(const PromptCondition& m) {
  const auto& [down, down_bias, up, up_bias] = m;
  return tensors_among(std::tie(down, down_bias, up, up_bias));
}
std::size_t members(const Bottleneck& m) {
  const auto& [layer, site, down, down_bias, up, up_bias, nonlinearity, scale, weight, bias,
               out_weight, out_bias] = m;
  return tensors_among(std::tie(layer, site, down, down_bias, up, up_bias, nonlinearity, scale,
                                weight, bias, out_weight, out_bias));
}
std::size_t members(const LowRank& m) {
  const auto& [layer, map, down, up, scale, dropout, noise] = m;
  return tensors_among(std::tie(layer, map, down, up, scale, dropout, noise));
}
std::size_t members(const Affine& m) {
  const auto& [layer, place, scale, shift] = m;
  return tensors_among(std::tie(layer, place, scale, shift));
}
std::size_t members(const FeatureAdapter& m) {
  const auto& [down, down_bias, up, up_bias, nonlinearity, activate, ratio] = m;
  return tensors_among(std::tie(down, down_bias, up, up_bias, nonlinearity, activate, ratio));
}
std::size_t members(const ClassHead& m) {
  const auto& [weight, bias, scale, unit] = m;
  return tensors_among(std::tie(weight, bias, scale, unit));
}
std::size_t members(const CacheHead& m) {
  const auto& [keys, values, alpha, beta] = m;
  return tensors_among(std::tie(keys, values, alpha, beta));
}

template <typename T>
class EveryChange : public ::testing::Test {};
using Kinds = ::testing::Types<PromptTokens, PromptCondition, Bottleneck, LowRank, Affine,
                               FeatureAdapter, ClassHead, CacheHead>;
TYPED_TEST_SUITE(EveryChange, Kinds);

TYPED_TEST(EveryChange, ListsEachOfItsTensorsOnceUnderItsOwnName) {
  TypeParam change;
  std::set<const at::Tensor*> places;
  std::set<std::string> names;
  visit_tensors(change, [&](const at::Tensor& tensor, const TensorSpec& spec) {
    places.insert(&tensor);
    names.insert(spec.name);
  });
  EXPECT_EQ(places.size(), members(change));
  EXPECT_EQ(names.size(), members(change));
}

/// One of each kind in both towers, each tensor with a value of its own.
BackboneChanges one_of_each() {
  BackboneChanges changes;
  for (TowerChanges* tower : {&changes.vision, &changes.text}) {
    tower->prompts.emplace_back();
    tower->condition.emplace();
    tower->bottlenecks.emplace_back();
    tower->low_ranks.emplace_back();
    tower->affines.emplace_back();
    tower->feature_adapters.emplace_back();
  }
  changes.head.emplace();
  changes.caches.emplace_back();
  changes.weights.push_back({"a.weight", {}});
  double value = 0;
  visit_tensors(changes,
                [&](at::Tensor& tensor, const TensorSpec&) { tensor = at::full({}, ++value); });
  return changes;
}

TEST(VisitTensors, SeesThoseOfAllPartsOnceAndInTheSameOrder) {
  const BackboneChanges changes = one_of_each();
  std::vector<double> values;
  std::vector<std::string> names;
  visit_tensors(changes, [&](const at::Tensor& tensor, const TensorSpec& spec) {
    values.push_back(tensor.item<double>());
    names.emplace_back(spec.name);
  });
  // Of a tower: prompts 1, condition 4, bottleneck 9, low-rank 2, affine 2, feature adapter 4.
  ASSERT_EQ(values.size(), 2U * 22U + 2U + 2U + 1U + 1U);
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(values[i], static_cast<double>(i + 1));
  EXPECT_THAT(std::vector<std::string>(names.end() - 6, names.end()),
              ElementsAre("weight", "bias", "keys", "values", "a.weight", "penalty"));
}

TEST(VisitModules, SeesWhatWorksInsideTheTowers) {
  const BackboneChanges changes = one_of_each();
  std::vector<std::string> kinds;
  visit_modules(changes.vision,
                [&](const Module auto& module) { kinds.emplace_back(module.kKind); });
  EXPECT_THAT(kinds, ElementsAre("a bottleneck", "a low-rank change", "an affine change"));
  EXPECT_FALSE(Module<PromptTokens>);
  EXPECT_FALSE(Module<FeatureAdapter>);
}

LowRank low_rank_of(LinearMap map) {
  return {.map = map, .down = {}, .up = {}};
}

Affine affine_at(AffinePlace place) {
  return {.place = place, .scale = {}, .shift = {}};
}

TEST(VisitModules, SizesFollowTheMapAndThePlace) {
  const auto axes = [](const auto& change) {
    std::vector<Axis> all;
    visit_tensors(change, [&](const at::Tensor&, const TensorSpec& spec) {
      all.insert(all.end(), spec.axes.begin(),
                 spec.axes.begin() + static_cast<std::ptrdiff_t>(spec.dims));
    });
    return all;
  };
  using enum Axis;
  EXPECT_THAT(axes(low_rank_of(LinearMap::fc1)), ElementsAre(free, width, mlp_width, free));
  EXPECT_THAT(axes(low_rank_of(LinearMap::fc2)), ElementsAre(free, mlp_width, width, free));
  EXPECT_THAT(axes(affine_at(AffinePlace::hidden)), ElementsAre(mlp_width, mlp_width));
  EXPECT_THAT(axes(affine_at(AffinePlace::mlp)), ElementsAre(width, width));
  EXPECT_FALSE(site_of(affine_at(AffinePlace::mlp)).is_outside_blocks);
  EXPECT_TRUE(site_of(affine_at(AffinePlace::embeddings)).is_outside_blocks);
}

}  // namespace
}  // namespace petlab::sdk
