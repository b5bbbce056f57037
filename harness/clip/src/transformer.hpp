#pragma once

#include "modules.hpp"
#include "petlab/clip/config.hpp"
#include "weights.hpp"

#include <ATen/core/Tensor.h>

namespace petlab::clip {

/// The activation of an MLP.
[[nodiscard]] at::Tensor activate(const at::Tensor& hidden, Activation activation);

/// What a block needs to know besides its weights.
struct BlockSettings {
  std::int64_t heads = 0;
  double layer_norm_eps = 1e-5;
  Activation activation = Activation::quick_gelu;
  bool is_causal = false;
};

/// Prompts that one block sees and no later one: all positions attend to them, and what the block
/// would make of themselves is not computed. Only without modules.
struct PassingPrompts {
  at::Tensor tokens;         ///< [S, n, W]; undefined: none
  at::Tensor set_of_sample;  ///< int64 [B], the row of `tokens` of each sample; undefined for S = 1
};

/// One pre-LN transformer block of either tower: x [B, L, W] -> [B, L, W]. `modules` is null where
/// no adapter changes the block.
[[nodiscard]] at::Tensor run_block(const BlockWeights& weights, const BlockSettings& settings,
                                   const BlockModules* modules, const at::Tensor& x,
                                   const PassingPrompts& prompts = {});

/// The same, for the last block of a tower, of whose output one position a sample is used: only
/// that position is computed (its keys and values come from all). `positions` is int64 [B], or
/// undefined for position 0. x [B, L, W] -> [B, W].
[[nodiscard]] at::Tensor run_block_pooled(const BlockWeights& weights,
                                          const BlockSettings& settings,
                                          const BlockModules* modules, const at::Tensor& x,
                                          const at::Tensor& positions,
                                          const PassingPrompts& prompts = {});

/// What follows the attention in a block: its output map, the MLP, and the modules of both. x is
/// the stream at the positions that `attended` belongs to: [B, L, W], or rows [R, W].
[[nodiscard]] at::Tensor finish_block(const BlockWeights& weights, const BlockSettings& settings,
                                      const BlockModules* modules, const at::Tensor& x,
                                      const at::Tensor& attended);

}  // namespace petlab::clip
