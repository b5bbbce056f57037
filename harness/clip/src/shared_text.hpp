#pragma once

#include "petlab/clip/backbone.hpp"
#include "prompts.hpp"
#include "text_layout.hpp"
#include "transformer.hpp"
#include "weights.hpp"

#include <ATen/core/Tensor.h>

namespace petlab::clip {

/// True where an adapter changes the blocks besides by prompts.
[[nodiscard]] bool has_modules(const TowerBatch& batch);

/// True where modules draw noise for every row: rows that texts share would share it.
[[nodiscard]] bool draws_noise(const TowerBatch& batch);

/// The text tower up to its last block, on rows that texts share: the streams of the end tokens
/// [N, W]. Equal to the plain path but for the rounding of sums.
[[nodiscard]] at::Tensor run_shared_blocks(const TextWeights& weights, const sdk::TowerShape& shape,
                                           const BlockSettings& settings, const PromptPlan& plan,
                                           const TowerBatch& batch, const TextLayout& layout);

}  // namespace petlab::clip
