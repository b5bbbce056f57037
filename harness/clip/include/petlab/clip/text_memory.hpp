#pragma once

#include "petlab/clip/backbone.hpp"

#include <cstdint>

namespace petlab::clip {

/// Rows (positions) of the text tower for a batch of texts: with TextPath::shared the common
/// prefix once for each of the `n_prompt_sets` sets of prompts (the start token once) and of every
/// text its own tokens up to its end, else all texts padded to the longest. Tokens of the CPU are
/// read without waiting for a device.
[[nodiscard]] std::int64_t text_rows(const TokenBatch& tokens, std::int64_t n_prompt,
                                     std::int64_t n_prompt_sets = 1,
                                     TextPath path = TextPath::shared);

/// The same for a model: where its texts are padded to the context length, all of those rows.
[[nodiscard]] std::int64_t text_rows(const Config& config, const TokenBatch& tokens,
                                     std::int64_t n_prompt, std::int64_t n_prompt_sets,
                                     TextPath path);

/// Bytes that one row keeps from the forward to the backward pass, over all blocks: of each block
/// the stream before it and before its MLP (fp32), queries, keys, values and the MLP's hidden
/// values (2 bytes each in bf16). Where weights are trained, also the inputs of the four maps.
[[nodiscard]] std::int64_t text_activation_bytes(const sdk::TowerShape& text, bool is_bf16,
                                                 bool trains_weights = false);

}  // namespace petlab::clip
