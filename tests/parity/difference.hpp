#pragma once

#include <ATen/ATen.h>

#include <algorithm>

namespace petlab::parity {

/// What a feature, or a logit, may differ by.
inline constexpr double kTolerance = 1e-5;

/// Largest difference, as a share of the reference's largest value where that is above 1.
inline double difference(const at::Tensor& ours, const at::Tensor& reference) {
  const double scale = std::max(1.0, reference.abs().max().item<double>());
  return (ours - reference).abs().max().item<double>() / scale;
}

}  // namespace petlab::parity
