#pragma once

#include "petlab/sdk/adapter.hpp"
#include "petlab/sdk/backbone.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace petlab::core {

/// Which layers a tower's prompts enter, and how many tokens they are.
struct PromptShape {
  std::vector<std::int64_t> layers;
  std::int64_t tokens = 0;

  bool operator==(const PromptShape&) const = default;
};

/// What parts of the backbone an adapter changes: all but the values.
struct Footprint {
  PromptShape vision;
  PromptShape text;
  std::vector<std::string> weights;

  [[nodiscard]] bool touches_vision() const;
  [[nodiscard]] bool touches_text() const;

  bool operator==(const Footprint&) const = default;
};

/// What comes out of a plugin is checked here, before it reaches the backbone. All functions throw
/// Error(plugin) with one sentence that names the method and what it gave instead of what.
class AdapterChecks {
 public:
  /// `backbone` must outlive this object.
  AdapterChecks(std::string method, const sdk::BackboneView& backbone);

  /// A template has exactly one "{}".
  void check_template(const std::string& text) const;

  /// Trainable fp32 leaves with distinct names on the backbone's device, finite, and in memory of
  /// their own.
  void check_parameters(const std::vector<sdk::NamedTensor>& parameters) const;

  /// Shapes, layers, types and device of the changes. Values are not looked at: on a GPU that would
  /// stop the step.
  [[nodiscard]] Footprint check_changes(const sdk::BackboneChanges& changes) const;

  /// Throws if any prompt or weight is not finite.
  void check_finite(const sdk::BackboneChanges& changes) const;

 private:
  [[nodiscard]] PromptShape check_prompts(const sdk::TowerChanges& changes,
                                          const sdk::TowerShape& tower, const char* name) const;
  [[noreturn]] void refuse(const std::string& what) const;

  std::string method_;
  const sdk::BackboneView& backbone_;
  std::unordered_map<std::string, at::Tensor> weights_;
};

}  // namespace petlab::core
