#pragma once

#include <ATen/core/Tensor.h>

namespace petlab::kernels {

// The three products of a linear layer, without derivatives, each by the faster way. Matrices are
// of one type, on one device, with any strides; undefined stands for no bias. Each announces its
// work to the dispatcher's observers, as petlab::<name>.

/// What linear_forward computes.
struct Forward {
  at::Tensor y;          ///< [M, N]; undefined when only `activated` was wanted
  at::Tensor activated;  ///< quick_gelu(y) [M, N]; undefined unless wanted
};

enum class Wanted { sums, activated, both };

/// x [M, K] times W [N, K] transposed, plus bias [N].
[[nodiscard]] Forward linear_forward(const at::Tensor& x, const at::Tensor& weight,
                                     const at::Tensor& bias, Wanted wanted);

/// dY [M, N] times W [N, K] -> dX [M, K]. With `slope_at` [M, N], each dY is first multiplied by
/// the derivative of quick_gelu there.
[[nodiscard]] at::Tensor linear_input_gradient(const at::Tensor& dy, const at::Tensor& weight,
                                               const at::Tensor& slope_at);

/// dY [M, N] transposed times X [M, K] -> dW [N, K].
[[nodiscard]] at::Tensor linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x);

}  // namespace petlab::kernels
