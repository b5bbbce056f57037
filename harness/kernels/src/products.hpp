#pragma once

#include <ATen/core/Tensor.h>

namespace petlab::kernels {

// The three products of a linear layer, without derivatives, each by the faster way. Matrices are
// fp32 or bf16 (other types: LibTorch's way), with any strides; an undefined tensor stands for no
// bias. Each announces its work to the dispatcher's observers, as petlab::<name>.

enum class Precision {
  as_given,  ///< operands are of one type, and so is the result
  bf16       ///< operands are rounded to bf16, as autocast does; sums are fp32
};

enum class Wanted { sums, activated, both };

/// What linear_forward computes: each undefined unless wanted.
struct Forward {
  at::Tensor y;          ///< [M, N]
  at::Tensor activated;  ///< quick_gelu(y) [M, N]
};

/// x [M, K] times W [N, K] transposed, plus bias [N]. bf16 with that precision.
[[nodiscard]] Forward linear_forward(const at::Tensor& x, const at::Tensor& weight,
                                     const at::Tensor& bias, Wanted wanted, Precision precision);

/// dY [M, N] times W [N, K] -> dX [M, K] of type `result`. With `slope_at` [M, N], each dY is first
/// multiplied by the derivative of quick_gelu there.
[[nodiscard]] at::Tensor linear_input_gradient(const at::Tensor& dy, const at::Tensor& weight,
                                               const at::Tensor& slope_at, Precision precision,
                                               at::ScalarType result);

/// dY [M, N] transposed times X [M, K] -> dW [N, K] of type `result`.
[[nodiscard]] at::Tensor linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x,
                                                Precision precision, at::ScalarType result);

}  // namespace petlab::kernels
