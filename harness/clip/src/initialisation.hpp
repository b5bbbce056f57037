#pragma once

#include "petlab/clip/config.hpp"
#include "weights.hpp"

#include <ATen/core/Generator.h>

namespace petlab::clip {

/// Draws all weights the way CLIP's authors initialise their text transformer, for both towers:
/// attention and fc1 by width, what enters the residual stream also by depth; norms 1 and 0, biases
/// 0. Deterministic for a generator state: weights are drawn in name order.
void initialise(const Weights& weights, const Config& config, at::Generator& generator);

}  // namespace petlab::clip
