#include "petlab/engine/adapter_checks.hpp"

#include "model/tensor_facts.hpp"
#include "petlab/base/error.hpp"

#include <ATen/ATen.h>

#include <unordered_set>

namespace petlab::engine {

AdapterChecks::AdapterChecks(std::string method, const sdk::BackboneView& backbone)
    : method_(std::move(method)), backbone_(backbone) {
  for (const auto& [name, value] : backbone.weights())
    weights_.emplace(name, value);
}

void AdapterChecks::refuse(const std::string& what) const {
  throw base::Error(base::ErrorKind::plugin, "method '" + method_ + "' " + what);
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

}  // namespace petlab::engine
