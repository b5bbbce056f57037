#pragma once

#include "petlab/clip/backbone.hpp"
#include "weights.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace petlab::clip {

/// Texts of one forward such that their activations stay within batch.text_budget; all of them
/// where nothing is kept for a backward pass, or where noise is drawn, which cannot be drawn again.
[[nodiscard]] std::int64_t texts_per_chunk(const Config& config, const TokenBatch& tokens,
                                           const TowerBatch& batch,
                                           const WeightOverrides& overrides);

/// The text tower over chunks of `chunk` texts, of which nothing is kept but the inputs: the
/// backward pass computes each chunk again and walks it back at once. Equal to the whole but for
/// the rounding of sums over chunks; costs one more forward.
[[nodiscard]] at::Tensor run_text_in_chunks(const Weights& weights, const Config& config,
                                            const TokenBatch& tokens, const TowerBatch& batch,
                                            const WeightOverrides& overrides, std::int64_t chunk);

}  // namespace petlab::clip
