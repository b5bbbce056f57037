#include "model/tensor_text.hpp"
#include "petlab/engine/adapter_checks.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <unordered_set>

// Whether what changes() gives fits the backbone.
namespace petlab::engine {
namespace {

bool has_weight_of(const std::vector<std::string>& weights, const char* tower,
                   const char* projection) {
  for (const std::string& name : weights) {
    if (name.starts_with(tower) || name.starts_with(projection)) return true;
  }
  return false;
}

bool is_finite(const at::Tensor& tensor) {
  return !tensor.defined() || at::isfinite(tensor).all().item<bool>();
}

bool fits(const at::Tensor& tensor, at::IntArrayRef shape) {
  if (tensor.dim() != static_cast<std::int64_t>(shape.size())) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] >= 0 && tensor.size(static_cast<std::int64_t>(i)) != shape[i]) return false;
  return true;
}

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + (shape[i] < 0 ? std::string("n") : std::to_string(shape[i]));
  return text + "]";
}

std::int64_t width_in(sdk::LinearMap map, const sdk::TowerShape& tower) {
  return map == sdk::LinearMap::fc2 ? tower.mlp_width : tower.width;
}

std::int64_t width_out(sdk::LinearMap map, const sdk::TowerShape& tower) {
  return map == sdk::LinearMap::fc1 ? tower.mlp_width : tower.width;
}

std::int64_t width_at(sdk::AffinePlace place, const sdk::TowerShape& tower) {
  return place == sdk::AffinePlace::fc1 || place == sdk::AffinePlace::hidden ? tower.mlp_width
                                                                             : tower.width;
}

/// One piece of the footprint: kind, layer, place, a size.
void note(std::string& modules, char kind, std::int64_t layer, std::uint32_t place,
          std::int64_t size) {
  modules +=
      kind + std::to_string(layer) + "." + std::to_string(place) + "." + std::to_string(size) + " ";
}

/// Blocks below the first that is changed; none where a place outside the blocks is.
std::int64_t untouched_layers(const sdk::TowerChanges& changes, std::int64_t layers) {
  std::int64_t first = layers;
  for (const sdk::PromptTokens& prompts : changes.prompts)
    first = std::min(first, prompts.layer);
  for (const sdk::Bottleneck& module : changes.bottlenecks)
    first = std::min(first, module.layer);
  for (const sdk::LowRank& change : changes.low_ranks)
    first = std::min(first, change.layer);
  for (const sdk::Affine& change : changes.affines)
    first = std::min(first, change.place >= sdk::AffinePlace::embeddings ? 0 : change.layer);
  return first;
}

}  // namespace

bool Footprint::touches_vision() const {
  return vision.touches_tower() || has_weight_of(weights, "vision_model.", "visual_projection.");
}

bool Footprint::touches_text() const {
  return text.touches_tower() || has_weight_of(weights, "text_model.", "text_projection.");
}

std::int64_t Footprint::untouched_vision_layers() const {
  return has_weight_of(weights, "vision_model.", "visual_projection.") ? 0
                                                                       : vision.untouched_layers;
}

void AdapterChecks::expect(const at::Tensor& tensor, at::IntArrayRef shape, const std::string& who,
                           bool optional) const {
  if (optional && !tensor.defined()) return;
  const c10::Device device = weights_.begin()->second.device();
  if (!tensor.defined() || tensor.scalar_type() != at::kFloat || tensor.device() != device ||
      !fits(tensor, shape)) {
    refuse("gives " + who + " as " + describe(tensor) + ", expected Float " + shape_text(shape) +
           " on " + device.str());
  }
}

void AdapterChecks::check_layer(std::int64_t layer, const sdk::TowerShape& tower,
                                const std::string& who) const {
  if (layer < 0 || layer >= tower.layers) {
    refuse("gives " + who + ", but the tower has layers 0 to " + std::to_string(tower.layers - 1));
  }
}

void AdapterChecks::check_prompts(const sdk::TowerChanges& changes, const sdk::TowerShape& tower,
                                  const char* name, std::int64_t n_classes,
                                  TowerFootprint& footprint) const {
  PromptShape& shape = footprint.prompts;
  const bool is_text = std::string_view(name) == "text";
  for (const auto& [layer, tokens] : changes.prompts) {
    const std::string who = std::string(name) + " prompts at layer " + std::to_string(layer);
    check_layer(layer, tower, who);
    if (!shape.layers.empty() && layer <= shape.layers.back()) {
      refuse("gives " + who + " after layer " + std::to_string(shape.layers.back()) +
             ", expected layers to ascend");
    }
    const std::int64_t count = shape.layers.empty() ? -1 : shape.tokens;
    if (is_text && layer == 0 && tokens.defined() && tokens.dim() == 3) {
      expect(tokens, {n_classes, -1, tower.width}, who);
      footprint.by_class = true;
    } else {
      expect(tokens, {count, tower.width}, who);
    }
    if (tokens.size(-2) == 0) refuse("gives " + who + " without a token");
    shape.tokens = tokens.size(-2);
    shape.layers.push_back(layer);
  }
  footprint.class_position = changes.class_position;
  if (!is_text && (changes.class_position != sdk::ClassPosition::end || changes.condition))
    refuse("gives the image tower a class position or a condition, which only texts have");
  const bool input_only = shape.layers == std::vector<std::int64_t>{0};
  if ((footprint.by_class || changes.class_position != sdk::ClassPosition::end ||
       changes.condition) &&
      !input_only) {
    refuse(
        "gives prompts that are class-specific, conditioned or not before the class name, expected "
        "them at layer 0 alone");
  }
}

void AdapterChecks::check_condition(const sdk::TowerChanges& changes,
                                    const TowerFootprint& footprint) const {
  if (!footprint.conditioned) return;
  const sdk::PromptCondition& c = *changes.condition;
  const std::int64_t width = backbone_.shape().text.width;
  expect(c.down, {-1, backbone_.shape().embed_dim}, "a condition's down");
  const std::int64_t hidden = c.down.size(0);
  expect(c.down_bias, {hidden}, "a condition's down_bias");
  expect(c.up, {width, hidden}, "a condition's up");
  expect(c.up_bias, {width}, "a condition's up_bias");
}

std::string AdapterChecks::check_modules(const sdk::TowerChanges& changes,
                                         const sdk::TowerShape& tower, const char* name) const {
  std::string modules;
  const auto who = [name](const char* what, std::int64_t layer) {
    return std::string(what) + " of the " + name + " tower at layer " + std::to_string(layer);
  };
  for (const sdk::Bottleneck& m : changes.bottlenecks) {
    check_layer(m.layer, tower, who("a bottleneck", m.layer));
    expect(m.down, {-1, tower.width}, who("a bottleneck's down", m.layer));
    const std::int64_t hidden = m.down.size(0);
    expect(m.down_bias, {hidden}, who("a bottleneck's down_bias", m.layer), true);
    expect(m.up, {tower.width, hidden}, who("a bottleneck's up", m.layer));
    expect(m.up_bias, {tower.width}, who("a bottleneck's up_bias", m.layer), true);
    expect(m.scale, {}, who("a bottleneck's scale", m.layer), true);
    expect(m.norm_weight, {tower.width}, who("a bottleneck's norm_weight", m.layer), true);
    expect(m.norm_bias, {tower.width}, who("a bottleneck's norm_bias", m.layer), true);
    expect(m.out_norm_weight, {tower.width}, who("a bottleneck's out_norm_weight", m.layer), true);
    expect(m.out_norm_bias, {tower.width}, who("a bottleneck's out_norm_bias", m.layer), true);
    note(modules, 'b', m.layer, static_cast<std::uint32_t>(m.site), hidden);
  }
  for (const sdk::LowRank& m : changes.low_ranks) {
    check_layer(m.layer, tower, who("a low-rank change", m.layer));
    expect(m.down, {-1, width_in(m.map, tower)}, who("a low-rank change's down", m.layer));
    expect(m.up, {width_out(m.map, tower), m.down.size(0)}, who("a low-rank change's up", m.layer));
    if (!(m.dropout >= 0 && m.dropout < 1))
      refuse("gives a low-rank change with a dropout of " + std::to_string(m.dropout) +
             ", expected 0 or more and below 1");
    note(modules, 'l', m.layer, static_cast<std::uint32_t>(m.map), m.down.size(0));
  }
  for (const sdk::Affine& m : changes.affines) {
    check_layer(m.layer, tower, who("an affine change", m.layer));
    if (m.place == sdk::AffinePlace::pre_norm && std::string_view(name) == "text")
      refuse("gives an affine change of the text tower's first norm, which it does not have");
    const std::int64_t width = width_at(m.place, tower);
    expect(m.scale, {width}, who("an affine change's scale", m.layer), true);
    expect(m.shift, {width}, who("an affine change's shift", m.layer), true);
    note(modules, 'a', m.layer, static_cast<std::uint32_t>(m.place), width);
  }
  return modules;
}

void AdapterChecks::check_features(const sdk::TowerChanges& changes, const char* name) const {
  const std::int64_t width = backbone_.shape().embed_dim;
  const std::string who = std::string("a feature adapter of the ") + name + " tower: ";
  for (const sdk::FeatureAdapter& a : changes.feature_adapters) {
    expect(a.down, {-1, width}, who + "down");
    expect(a.down_bias, {a.down.size(0)}, who + "down_bias", true);
    expect(a.up, {width, a.down.size(0)}, who + "up");
    expect(a.up_bias, {width}, who + "up_bias", true);
  }
}

void AdapterChecks::check_heads(const sdk::BackboneChanges& changes, std::int64_t n_classes) const {
  const std::int64_t width = backbone_.shape().embed_dim;
  if (changes.head) {
    expect(changes.head->weight, {n_classes, width}, "a class head's weight");
    expect(changes.head->bias, {n_classes}, "a class head's bias", true);
    if (!changes.text.prompts.empty())
      refuse("gives text prompts and a class head, which makes them useless");
  }
  for (const sdk::CacheHead& cache : changes.caches) {
    expect(cache.keys, {-1, width}, "a cache's keys");
    expect(cache.values, {cache.keys.size(0), n_classes}, "a cache's values");
  }
  expect(changes.penalty, {}, "the penalty", true);
}

Footprint AdapterChecks::check_changes(const sdk::BackboneChanges& changes,
                                       std::int64_t n_classes) const {
  Footprint footprint;
  const auto check_tower = [&](const sdk::TowerChanges& tower, const sdk::TowerShape& shape,
                               const char* name, TowerFootprint& result) {
    check_prompts(tower, shape, name, n_classes, result);
    result.conditioned = tower.condition.has_value();
    check_condition(tower, result);
    result.modules = check_modules(tower, shape, name);
    result.untouched_layers = untouched_layers(tower, shape.layers);
    check_features(tower, name);
    result.feature_adapters = tower.feature_adapters.size();
  };
  check_tower(changes.vision, backbone_.shape().vision, "image", footprint.vision);
  check_tower(changes.text, backbone_.shape().text, "text", footprint.text);
  check_heads(changes, n_classes);
  footprint.has_head = changes.head.has_value();
  footprint.caches = changes.caches.size();
  std::unordered_set<std::string> names;
  for (const auto& [name, value] : changes.weights) {
    const auto original = weights_.find(name);
    if (original == weights_.end())
      refuse("replaces weight '" + name + "', which the backbone does not have");
    if (!names.insert(name).second) refuse("replaces weight '" + name + "' twice");
    if (!value.defined() || value.sizes() != original->second.sizes() ||
        value.scalar_type() != at::kFloat || value.device() != original->second.device()) {
      refuse("replaces weight '" + name + "' by " + describe(value) + ", expected " +
             describe(original->second));
    }
    footprint.weights.push_back(name);
  }
  return footprint;
}

void AdapterChecks::check_finite(const sdk::BackboneChanges& changes) const {
  const auto check = [this](std::initializer_list<at::Tensor> tensors, const std::string& what) {
    for (const at::Tensor& tensor : tensors)
      if (!is_finite(tensor)) refuse("gives " + what + " that are not finite");
  };
  const auto check_tower = [&](const sdk::TowerChanges& tower, const std::string& name) {
    for (const auto& [layer, tokens] : tower.prompts)
      check({tokens}, name + " prompts at layer " + std::to_string(layer));
    for (const sdk::Bottleneck& m : tower.bottlenecks)
      check({m.down, m.down_bias, m.up, m.up_bias, m.scale, m.norm_weight, m.norm_bias,
             m.out_norm_weight, m.out_norm_bias},
            "values of a bottleneck of the " + name + " tower");
    for (const sdk::LowRank& m : tower.low_ranks)
      check({m.down, m.up}, "values of a low-rank change of the " + name + " tower");
    for (const sdk::Affine& m : tower.affines)
      check({m.scale, m.shift}, "values of an affine change of the " + name + " tower");
    for (const sdk::FeatureAdapter& a : tower.feature_adapters)
      check({a.down, a.down_bias, a.up, a.up_bias},
            "values of a feature adapter of the " + name + " tower");
    if (tower.condition)
      check({tower.condition->down, tower.condition->down_bias, tower.condition->up,
             tower.condition->up_bias},
            "values of a condition");
  };
  check_tower(changes.vision, "image");
  check_tower(changes.text, "text");
  if (changes.head) check({changes.head->weight, changes.head->bias}, "values of a class head");
  for (const sdk::CacheHead& cache : changes.caches)
    check({cache.keys, cache.values}, "values of a cache");
  for (const auto& [name, value] : changes.weights) {
    if (!is_finite(value)) refuse("replaces weight '" + name + "' by values that are not finite");
  }
}

}  // namespace petlab::engine
