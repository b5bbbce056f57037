#pragma once

#include <ATen/core/Tensor.h>

namespace petlab::kernels {

/// What a residual stream and the next branch start from.
struct NormedSum {
  at::Tensor sum;     ///< x + branch
  at::Tensor normed;  ///< layer_norm(sum) weight + bias
};

/// Residual addition and the layer norm that follows it: x, branch [..., W] (an undefined branch
/// adds nothing) and weight, bias [W]. Differentiable (once): one pass each way that keeps the sum
/// and two numbers a row, and one more for the gradients of weight and bias. Under autocast
/// `normed` may already have autocast's type, in which the products that use it would round it.
[[nodiscard]] NormedSum add_layer_norm(const at::Tensor& x, const at::Tensor& branch,
                                       const at::Tensor& weight, const at::Tensor& bias,
                                       double eps);

/// layer_norm(x) weight + bias of x [..., W], as add_layer_norm(); an undefined bias is zero.
[[nodiscard]] at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight,
                                    const at::Tensor& bias, double eps);

}  // namespace petlab::kernels
