#include "model/tensor_facts.hpp"
#include "petlab/engine/adapter_checks.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <type_traits>
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

template <typename Part>
bool are_finite(const Part& part) {
  bool finite = true;
  sdk::visit_tensors(part, [&](const at::Tensor& tensor, const sdk::TensorSpec&) {
    finite = finite && is_finite(tensor);
  });
  return finite;
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

/// What is wrong with a part beside its tensors, "" for nothing: most kinds have no such rule.
template <typename Part>
std::string other_fault(const Part& /*part*/, bool /*is_text*/) {
  return "";
}

std::string other_fault(const sdk::LowRank& change, bool /*is_text*/) {
  if (change.dropout >= 0 && change.dropout < 1) return "";
  return "with a dropout of " + std::to_string(change.dropout) + ", expected 0 or more and below 1";
}

std::string other_fault(const sdk::Affine& change, bool is_text) {
  if (!is_text || change.place != sdk::AffinePlace::pre_norm) return "";
  return "of the text tower's first norm, which it does not have";
}

/// Blocks below the first that is changed; none where a place outside the blocks is.
std::int64_t untouched_layers(const sdk::TowerChanges& changes, std::int64_t layers) {
  std::int64_t first = layers;
  for (const sdk::PromptTokens& prompts : changes.prompts)
    first = std::min(first, prompts.layer);
  sdk::visit_modules(changes, [&](const sdk::Module auto& module) {
    const sdk::ModuleSite site = site_of(module);
    first = std::min(first, site.is_outside_blocks ? 0 : site.layer);
  });
  return first;
}

}  // namespace

bool Footprint::modifies_vision() const {
  return vision.touches_tower() || has_weight_of(weights, "vision_model.", "visual_projection.");
}

bool Footprint::modifies_text() const {
  return text.touches_tower() || has_weight_of(weights, "text_model.", "text_projection.");
}

std::int64_t Footprint::untouched_vision_layers() const {
  return has_weight_of(weights, "vision_model.", "visual_projection.") ? 0
                                                                       : vision.untouched_layers;
}

std::int64_t AdapterChecks::Sizes::of(sdk::Axis axis) const {
  switch (axis) {
    case sdk::Axis::width:
      return width;
    case sdk::Axis::mlp_width:
      return mlp_width;
    case sdk::Axis::embed_dim:
      return embed_dim;
    case sdk::Axis::classes:
      return classes;
    case sdk::Axis::free:
      break;
  }
  return -1;
}

bool AdapterChecks::is_as_expected(const at::Tensor& tensor, at::IntArrayRef shape,
                                   bool optional) const {
  if (!tensor.defined()) return optional;
  return tensor.scalar_type() == at::kFloat && tensor.device() == device() && fits(tensor, shape);
}

void AdapterChecks::refuse_tensor(const std::string& who, const at::Tensor& tensor,
                                  at::IntArrayRef shape) const {
  refuse("gives " + who + " as " + describe(tensor) + ", expected Float " + shape_text(shape) +
         " on " + device().str());
}

c10::Device AdapterChecks::device() const {
  return weights_.begin()->second.device();
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
    const bool by_class = is_text && layer == 0 && tokens.defined() && tokens.dim() == 3;
    const std::vector<std::int64_t> expected =
        by_class ? std::vector<std::int64_t>{n_classes, -1, tower.width}
                 : std::vector<std::int64_t>{count, tower.width};
    if (!is_as_expected(tokens, expected, /*optional=*/false)) refuse_tensor(who, tokens, expected);
    footprint.by_class = footprint.by_class || by_class;
    if (tokens.size(-2) == 0) refuse("gives " + who + " without a token");
    shape.tokens = tokens.size(-2);
    shape.layers.push_back(layer);
  }
  footprint.prompt_composition = changes.prompt_composition;
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

template <typename Part>
std::int64_t AdapterChecks::check_tensors(const Part& part, const Sizes& sizes,
                                          const std::string& where) const {
  std::int64_t free = -1;
  sdk::visit_tensors(part, [&](const at::Tensor& tensor, const sdk::TensorSpec& spec) {
    std::array<std::int64_t, 2> shape{};
    for (std::size_t i = 0; i < spec.dims; ++i)
      shape[i] = spec.axes[i] == sdk::Axis::free ? free : sizes.of(spec.axes[i]);
    if (!is_as_expected(tensor, {shape.data(), spec.dims}, spec.may_be_undefined))
      refuse_tensor(std::string(Part::kKind) + "'s " + spec.name + where, tensor,
                    {shape.data(), spec.dims});
    if (!tensor.defined()) return;
    for (std::size_t i = 0; i < spec.dims; ++i)
      if (spec.axes[i] == sdk::Axis::free) free = tensor.size(static_cast<std::int64_t>(i));
  });
  return free;
}

std::string AdapterChecks::check_parts(const sdk::TowerChanges& changes,
                                       const sdk::TowerShape& tower, const char* name) const {
  const Sizes sizes{tower.width, tower.mlp_width, backbone_.shape().embed_dim, 0};
  const bool is_text = std::string_view(name) == "text";
  const std::string of_tower = std::string(" of the ") + name + " tower";
  std::string modules;
  sdk::visit_parts(changes, [&](const auto& part) {
    using Part = std::remove_cvref_t<decltype(part)>;
    if constexpr (std::is_same_v<Part, sdk::PromptTokens>) {
      return;  // check_prompts()
    } else if constexpr (sdk::Module<Part>) {
      const sdk::ModuleSite site = site_of(part);
      const std::string where = of_tower + " at layer " + std::to_string(site.layer);
      check_layer(site.layer, tower, Part::kKind + where);
      const std::int64_t size = check_tensors(part, sizes, where);
      modules += std::string(Part::kKind) + " " + std::to_string(site.layer) + "." +
                 std::to_string(site.place) + "." + std::to_string(size) + "; ";
    } else {
      check_tensors(part, sizes, of_tower);
    }
    if (const std::string fault = other_fault(part, is_text); !fault.empty())
      refuse("gives " + std::string(Part::kKind) + " " + fault);
  });
  return modules;
}

void AdapterChecks::check_heads(const sdk::BackboneChanges& changes, std::int64_t n_classes) const {
  const Sizes sizes{0, 0, backbone_.shape().embed_dim, n_classes};
  sdk::visit_heads(changes, [&](const auto& head) { check_tensors(head, sizes, ""); });
  if (changes.head && !changes.text.prompts.empty())
    refuse("gives text prompts and a class head, which makes them useless");
  if (!is_as_expected(changes.penalty, {}, /*optional=*/true))
    refuse_tensor("the penalty", changes.penalty, {});
}

Footprint AdapterChecks::check_changes(const sdk::BackboneChanges& changes,
                                       std::int64_t n_classes) const {
  Footprint footprint;
  const auto check_tower = [&](const sdk::TowerChanges& tower, const sdk::TowerShape& shape,
                               const char* name, TowerFootprint& result) {
    check_prompts(tower, shape, name, n_classes, result);
    result.conditioned = tower.condition.has_value();
    result.modules = check_parts(tower, shape, name);
    result.untouched_layers = untouched_layers(tower, shape.layers);
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
  const auto check_tower = [&](const sdk::TowerChanges& tower, const std::string& name) {
    sdk::visit_parts(tower, [&](const auto& part) {
      using Part = std::remove_cvref_t<decltype(part)>;
      if (are_finite(part)) return;
      if constexpr (std::is_same_v<Part, sdk::PromptTokens>)
        refuse("gives " + name + " prompts at layer " + std::to_string(part.layer) +
               " that are not finite");
      else
        refuse("gives values of " + std::string(Part::kKind) + " of the " + name +
               " tower that are not finite");
    });
  };
  check_tower(changes.vision, "image");
  check_tower(changes.text, "text");
  sdk::visit_heads(changes, [&](const auto& head) {
    if (!are_finite(head))
      refuse("gives values of " + std::string(head.kKind) + " that are not finite");
  });
  for (const auto& [name, value] : changes.weights) {
    if (!is_finite(value)) refuse("replaces weight '" + name + "' by values that are not finite");
  }
}

}  // namespace petlab::engine
