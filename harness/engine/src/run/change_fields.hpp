#pragma once

#include "petlab/engine/value_names.hpp"
#include "petlab/sdk/changes.hpp"

#include <array>

// What a change holds besides its tensors (sdk::visit_tensors), by name: visit("layer", m.layer)
// and so on, always in the same order. Each function takes the struct apart, so that a member which
// is added to it does not compile until it is told here.
namespace petlab::engine {

template <>
struct ValueNames<sdk::ClassPosition> {
  static constexpr std::array kAll = {"end", "middle", "front"};
};
template <>
struct ValueNames<sdk::PromptComposition> {
  static constexpr std::array kAll = {"concatenate", "add"};
};
template <>
struct ValueNames<sdk::Nonlinearity> {
  static constexpr std::array kAll = {"none", "relu", "gelu", "quick-gelu"};
};
template <>
struct ValueNames<sdk::BottleneckSite> {
  static constexpr std::array kAll = {"after-attention", "after-mlp", "parallel-attention",
                                      "parallel-mlp"};
};
template <>
struct ValueNames<sdk::LinearMap> {
  static constexpr std::array kAll = {"q", "k", "v", "out", "fc1", "fc2"};
};
template <>
struct ValueNames<sdk::AffinePlace> {
  static constexpr std::array kAll = {"norm1",     "q",          "k",        "v",
                                      "attention", "norm2",      "fc1",      "hidden",
                                      "mlp",       "embeddings", "pre-norm", "final-norm"};
};

template <sdk::MaybeConst<sdk::PromptTokens> M, typename Visit>
void visit_fields(M& m, Visit&& visit) {
  auto& [layer, tokens] = m;
  visit("layer", layer);
}

template <sdk::MaybeConst<sdk::PromptCondition> M, typename Visit>
void visit_fields(M& m, Visit&& /*visit*/) {
  [[maybe_unused]] auto& [down, down_bias, up, up_bias] = m;
}

template <sdk::MaybeConst<sdk::Bottleneck> M, typename Visit>
void visit_fields(M& m, Visit&& visit) {
  auto& [layer, site, down, down_bias, up, up_bias, nonlinearity, scale, norm_weight, norm_bias,
         out_norm_weight, out_norm_bias] = m;
  visit("layer", layer);
  visit("site", site);
  visit("nonlinearity", nonlinearity);
}

/// Dropout and its noise belong to training.
template <sdk::MaybeConst<sdk::LowRank> M, typename Visit>
void visit_fields(M& m, Visit&& visit) {
  auto& [layer, map, down, up, scale, dropout, noise] = m;
  visit("layer", layer);
  visit("map", map);
  visit("scale", scale);
}

template <sdk::MaybeConst<sdk::Affine> M, typename Visit>
void visit_fields(M& m, Visit&& visit) {
  auto& [layer, place, scale, shift] = m;
  visit("layer", layer);
  visit("place", place);
}

template <sdk::MaybeConst<sdk::FeatureAdapter> M, typename Visit>
void visit_fields(M& m, Visit&& visit) {
  auto& [down, down_bias, up, up_bias, nonlinearity, activate_output, ratio] = m;
  visit("nonlinearity", nonlinearity);
  visit("activate_output", activate_output);
  visit("ratio", ratio);
}

template <sdk::MaybeConst<sdk::TowerChanges> M, typename Visit>
void visit_fields(M& m, Visit&& visit) {
  auto& [prompts, prompt_composition, class_position, condition, bottlenecks, low_ranks, affines,
         feature_adapters] = m;
  visit("prompts", prompts);
  visit("prompt_composition", prompt_composition);
  visit("class_position", class_position);
  visit("condition", condition);
  visit("bottlenecks", bottlenecks);
  visit("low_ranks", low_ranks);
  visit("affines", affines);
  visit("feature_adapters", feature_adapters);
}

template <sdk::MaybeConst<sdk::ClassHead> M, typename Visit>
void visit_fields(M& m, Visit&& visit) {
  auto& [weight, bias, scale, unit_features] = m;
  visit("scale", scale);
  visit("unit_features", unit_features);
}

template <sdk::MaybeConst<sdk::CacheHead> M, typename Visit>
void visit_fields(M& m, Visit&& visit) {
  auto& [keys, values, alpha, beta] = m;
  visit("alpha", alpha);
  visit("beta", beta);
}

/// The penalty belongs to training.
template <sdk::MaybeConst<sdk::BackboneChanges> M, typename Visit>
void visit_fields(M& m, Visit&& visit) {
  auto& [vision, text, weights, head, caches, penalty] = m;
  visit("vision", vision);
  visit("text", text);
  visit("weights", weights);
  visit("head", head);
  visit("caches", caches);
}

}  // namespace petlab::engine
