#pragma once

#include "petlab/engine/sharing.hpp"

#include <ATen/core/Tensor.h>

#include <vector>

namespace petlab::engine {

/// The parameters of adapters that tasks use together, or that hold a tensor in common, in one list
/// each: what is trained as one model. Tasks that share nothing are clipped as in runs of their
/// own.
[[nodiscard]] std::vector<std::vector<at::Tensor>> connected_parameters(const Adapters& adapters);

/// Scales the gradients of each list by min(1, longest / (norm + 1e-6)), norm being the 2-norm of
/// all of the list's gradients as one vector: torch.nn.utils.clip_grad_norm_. Parameters without a
/// gradient count as 0.
void clip_gradients(const std::vector<std::vector<at::Tensor>>& lists, double longest);

}  // namespace petlab::engine
