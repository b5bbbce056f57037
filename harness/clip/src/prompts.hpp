#pragma once

#include "petlab/clip/backbone.hpp"

#include <ATen/core/Tensor.h>

namespace petlab::clip {

/// The prompts of one forward through one tower: checked once, then asked layer by layer.
class PromptPlan {
 public:
  /// Throws Error(config) for prompts that do not fit the tower, naming `tower`.
  PromptPlan(const TowerBatch& prompts, const sdk::TowerShape& shape, std::int64_t batch,
             const char* tower);

  /// True where the layer has prompts of its own.
  [[nodiscard]] bool changes(std::int64_t layer) const;

  /// True where these are the first, so that the sequence grows by n_prompt().
  [[nodiscard]] bool inserts(std::int64_t layer) const { return layer == first_layer_; }

  /// Prompts of a layer for each sample: [B, n_prompt, width]. Where there is one set this is a
  /// view without memory of its own.
  [[nodiscard]] at::Tensor at(std::int64_t layer) const;

  /// True where no later layer of `layers` sees the layer's prompts: the next one has its own, or
  /// there is none.
  [[nodiscard]] bool passes(std::int64_t layer, std::int64_t layers) const {
    return changes(layer) && (layer + 1 == layers || changes(layer + 1));
  }

  /// Prompts of a layer for each set, [S, n_prompt, width], and the set of each sample (undefined
  /// for S = 1), on the prompts' device.
  [[nodiscard]] const at::Tensor& sets_at(std::int64_t layer) const;
  [[nodiscard]] at::Tensor set_of_sample() const;

  [[nodiscard]] std::int64_t n_sets() const { return n_sets_; }

  /// 0 without prompts.
  [[nodiscard]] std::int64_t n_prompt() const { return n_prompt_; }

 private:
  const TowerBatch& prompts_;
  std::int64_t batch_;
  std::int64_t n_prompt_ = 0;
  std::int64_t n_sets_ = 0;
  std::int64_t first_layer_ = -1;
};

}  // namespace petlab::clip
