#include "petlab/core/adapter_checks.hpp"

#include "petlab/sdk/error.hpp"

#include <ATen/ATen.h>

#include <sstream>
#include <unordered_set>

namespace petlab::core {
namespace {

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined tensor";
  std::ostringstream text;
  text << at::toString(tensor.scalar_type()) << " " << tensor.sizes() << " on " << tensor.device();
  return text.str();
}

bool starts_with(const std::string& text, const char* prefix) {
  return text.rfind(prefix, 0) == 0;
}

bool has_weight_of(const std::vector<std::string>& weights, const char* tower,
                   const char* projection) {
  for (const std::string& name : weights) {
    if (starts_with(name, tower) || starts_with(name, projection)) return true;
  }
  return false;
}

bool is_finite(const at::Tensor& tensor) {
  return at::isfinite(tensor).all().item<bool>();
}

}  // namespace

bool Footprint::touches_vision() const {
  return !vision.layers.empty() || has_weight_of(weights, "vision_model.", "visual_projection.");
}

bool Footprint::touches_text() const {
  return !text.layers.empty() || has_weight_of(weights, "text_model.", "text_projection.");
}

AdapterChecks::AdapterChecks(std::string method, const sdk::BackboneView& backbone)
    : method_(std::move(method)), backbone_(backbone) {
  for (const auto& [name, value] : backbone.weights())
    weights_.emplace(name, value);
}

void AdapterChecks::refuse(const std::string& what) const {
  throw sdk::Error(sdk::ErrorKind::plugin, "method '" + method_ + "' " + what);
}

void AdapterChecks::check_template(const std::string& text) const {
  const auto first = text.find("{}");
  if (first == std::string::npos || text.find("{}", first + 2) != std::string::npos) {
    refuse("has the text template '" + text + "', expected exactly one {}");
  }
}

void AdapterChecks::check_parameters(const std::vector<sdk::NamedTensor>& parameters) const {
  std::unordered_set<const void*> frozen;
  for (const auto& [name, value] : weights_)
    frozen.insert(value.storage().data());
  std::unordered_set<std::string> names;
  for (const auto& [name, value] : parameters) {
    const std::string who = "gives parameter '" + name + "' ";
    if (name.empty() || !names.insert(name).second)
      refuse("gives two parameters or one without a name: '" + name + "'");
    if (!value.defined()) refuse(who + "as an undefined tensor");
    const c10::Device device = weights_.begin()->second.device();
    if (value.scalar_type() != at::kFloat || value.device() != device) {
      refuse(who + "as " + describe(value) + ", expected Float on " + device.str());
    }
    if (!value.is_leaf() || !value.requires_grad()) {
      refuse(who + "that is no leaf tensor with requires_grad");
    }
    if (frozen.contains(value.storage().data()) && value.numel() > 0) {
      refuse(who + "in the memory of a frozen weight, expected a copy");
    }
    if (!is_finite(value)) refuse(who + "with values that are not finite");
  }
}

PromptShape AdapterChecks::check_prompts(const sdk::TowerChanges& changes,
                                         const sdk::TowerShape& tower, const char* name) const {
  PromptShape shape;
  for (const auto& [layer, tokens] : changes.prompts) {
    const std::string who =
        std::string("gives ") + name + " prompts at layer " + std::to_string(layer);
    if (layer < 0 || layer >= tower.layers) {
      refuse(who + ", but the tower has layers 0 to " + std::to_string(tower.layers - 1));
    }
    if (!shape.layers.empty() && layer <= shape.layers.back()) {
      refuse(who + " after layer " + std::to_string(shape.layers.back()) +
             ", expected layers to ascend");
    }
    const bool fits = tokens.defined() && tokens.dim() == 2 && tokens.size(1) == tower.width &&
                      tokens.scalar_type() == at::kFloat &&
                      tokens.device() == weights_.begin()->second.device() &&
                      (shape.layers.empty() ? tokens.size(0) > 0 : tokens.size(0) == shape.tokens);
    if (!fits) {
      const std::string count = shape.layers.empty() ? "n_prompt" : std::to_string(shape.tokens);
      refuse(who + " as " + describe(tokens) + ", expected Float [" + count + ", " +
             std::to_string(tower.width) + "] on " + weights_.begin()->second.device().str());
    }
    shape.tokens = tokens.size(0);
    shape.layers.push_back(layer);
  }
  return shape;
}

Footprint AdapterChecks::check_changes(const sdk::BackboneChanges& changes) const {
  Footprint footprint;
  footprint.vision = check_prompts(changes.vision, backbone_.shape().vision, "image");
  footprint.text = check_prompts(changes.text, backbone_.shape().text, "text");
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
  const auto check = [this](const sdk::TowerChanges& tower, const char* name) {
    for (const auto& [layer, tokens] : tower.prompts) {
      if (!is_finite(tokens)) {
        refuse(std::string("gives ") + name + " prompts at layer " + std::to_string(layer) +
               " that are not finite");
      }
    }
  };
  check(changes.vision, "image");
  check(changes.text, "text");
  for (const auto& [name, value] : changes.weights) {
    if (!is_finite(value)) refuse("replaces weight '" + name + "' by values that are not finite");
  }
}

}  // namespace petlab::core
