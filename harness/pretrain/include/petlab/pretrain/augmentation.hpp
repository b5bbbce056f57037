#pragma once

#include "petlab/pretrain/facts.hpp"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <vector>

namespace petlab::pretrain {

/// uint8 [B, S, S, 3] on white -> fp32 [B, 3, S, S] in [0, 1], unchanged otherwise.
[[nodiscard]] at::Tensor to_planes(const at::Tensor& pictures);

/// Changed pictures, and what happened to the colours of each.
struct Augmented {
  at::Tensor planes;  ///< fp32 [B, 3, S, S]
  std::vector<ColourChange> changes;
};

/// to_planes() with chance at work: small rotations, scales, aspect changes, shifts and flips;
/// thinner and thicker strokes; random ink for pictures without colour; grey or exchanged channels
/// for pictures with colour; now and then light on dark. `has_colour` is bool [B].
[[nodiscard]] Augmented augment(const at::Tensor& pictures, const at::Tensor& has_colour,
                                at::Generator& generator);

}  // namespace petlab::pretrain
