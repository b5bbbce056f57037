#pragma once

#include "bfloat16.hpp"

#include <cstdint>
#include <tuple>

namespace petlab::kernels {

/// What the backward pass needs to know of a row.
struct RowNumbers {
  float mean;
  float scale;  ///< 1 / sqrt(variance + eps)
};

/// The layer norm of one row, for one thread.
template <typename Stream, typename Branch, typename Out>
struct LayerNormRow {
  /// sum = x + branch (null: nothing is added or written), normed. The sum stays as its type rounds
  /// it.
  RowNumbers (*forward)(const Stream* x, const Branch* branch, const float* weight,
                        const float* bias, std::int64_t width, float eps, Stream* sum, Out* normed);
  /// The gradient of the sum `row`: what comes along the stream (or null) and through the norm.
  void (*backward)(const Stream* row, const float* weight, RowNumbers numbers, const Stream* along,
                   const Out* upstream, std::int64_t width, Stream* gradient,
                   Branch* branch_gradient);
  /// Adds what the row `row` of the sum contributes to the gradients of weight and bias, both
  /// [width].
  void (*add_parameters)(const Stream* row, RowNumbers numbers, const Out* upstream,
                         std::int64_t width, float* weight_gradient, float* bias_gradient);
};

/// For the types that a run has.
using LayerNormRows =
    std::tuple<LayerNormRow<float, float, float>, LayerNormRow<float, float, Bfloat16>,
               LayerNormRow<float, Bfloat16, float>, LayerNormRow<float, Bfloat16, Bfloat16>,
               LayerNormRow<Bfloat16, Bfloat16, Bfloat16>>;

[[nodiscard]] LayerNormRows layer_norm_rows();

}  // namespace petlab::kernels
