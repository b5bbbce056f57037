#pragma once

#include "petlab/sdk/backbone.hpp"

#include <cstdint>
#include <vector>

namespace petlab::sdk {

/// Prompt tokens of one layer: [n_prompt, width of the tower], the same n_prompt at every layer.
struct PromptTokens {
  std::int64_t layer = 0;
  at::Tensor tokens;
};

/// What an adapter changes in one tower.
///
/// Prompts are inserted before the first listed layer; at each later listed layer the outputs of
/// this adapter's own prompts are replaced (deep prompting); at layers that are not listed they
/// flow on. Layers ascend. Text prompts stand directly after the start token and take the position
/// embeddings of their places when inserted at layer 0. Image prompts stand behind the patches, get
/// no position embedding, and at layer 0 enter before the first layer norm.
struct TowerChanges {
  std::vector<PromptTokens> prompts;
};

/// What an adapter changes in the backbone, as data. The host composes the changes of two adapters
/// (prompts are concatenated, group first, task second) and batches several tasks together.
struct BackboneChanges {
  TowerChanges vision;
  TowerChanges text;
  /// Trainable copies that take the place of the frozen weights of the same names. Changes with
  /// weights cannot be composed.
  std::vector<NamedTensor> weights;
};

/// One instance of a method's trainable parameters. Lives in the plugin; the host owns the
/// optimizer, the schedule, the data and the clock.
class Adapter {
 public:
  virtual ~Adapter() = default;

  /// Trainable leaf tensors, fp32, requires_grad set, on the device of the backbone's weights.
  /// The same tensors at every call. Empty for a method that trains nothing.
  [[nodiscard]] virtual std::vector<NamedTensor> parameters() const = 0;

  /// The changes that the present parameter values stand for, differentiable with respect to them.
  /// Called once a training step; must be a pure function of the parameters.
  [[nodiscard]] virtual BackboneChanges changes() const = 0;
};

}  // namespace petlab::sdk
