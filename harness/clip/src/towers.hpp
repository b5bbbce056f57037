#pragma once

#include "petlab/clip/backbone.hpp"
#include "weights.hpp"

namespace petlab::clip {

/// The image tower: pixels [B, 3, S, S] -> features [B, embed_dim].
[[nodiscard]] at::Tensor run_vision(const VisionWeights& weights, const Config& config,
                                    const at::Tensor& pixels, const TowerBatch& prompts);

/// What the unchanged embeddings and first `layers` blocks make of pixels: [B, tokens, W].
[[nodiscard]] at::Tensor run_lower_vision(const VisionWeights& weights, const Config& config,
                                          const at::Tensor& pixels, std::int64_t layers);

/// The rest of the image tower: that stream -> features [B, embed_dim].
[[nodiscard]] at::Tensor run_upper_vision(const VisionWeights& weights, const Config& config,
                                          const at::Tensor& stream, std::int64_t layers,
                                          const TowerBatch& prompts);

/// The text tower: tokens [N, L] -> features [N, embed_dim].
[[nodiscard]] at::Tensor run_text(const TextWeights& weights, const Config& config,
                                  const TokenBatch& tokens, const TowerBatch& prompts);

}  // namespace petlab::clip
