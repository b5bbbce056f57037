#pragma once

#include "model_files.hpp"
#include "weights.hpp"

namespace petlab::clip {

/// Checks that the stored tensors are exactly those that a model of this configuration needs, with
/// their shapes and a floating type (F32, F16, BF16, F64). Throws Error(data) naming file and
/// tensor. Allocates nothing of their size.
void check_stored_weights(const Config& config, const StoredWeights& stored);

/// Fills all weights from tensors that check_stored_weights() has passed. Throws Error(data) naming
/// a tensor whose numbers are not all finite. Numbers go from the mapped files straight to their
/// place, in pieces; pages that were read are given back, so that the process needs little more
/// memory than the weights themselves.
/// OpenCLIP's LayerScale is folded into the maps in front of it.
void load_weights(const Weights& weights, const StoredWeights& stored);

/// SigLIP's, which check_stored_weights() has seen.
[[nodiscard]] double load_logit_bias(const StoredWeights& stored);

}  // namespace petlab::clip
