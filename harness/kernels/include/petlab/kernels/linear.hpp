#pragma once

#include <ATen/core/Tensor.h>

namespace petlab::kernels {

/// y = x W^T + b, as at::linear: x [..., K], W [N, K], b [N] or undefined -> [..., N].
/// Differentiable in all three; only gradients that are asked for are computed. Under autocast the
/// product is computed in its type, as at::linear does it.
[[nodiscard]] at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                                const at::Tensor& bias);

/// quick_gelu(linear(x, weight, bias)), the first half of CLIP's MLP.
[[nodiscard]] at::Tensor linear_quick_gelu(const at::Tensor& x, const at::Tensor& weight,
                                           const at::Tensor& bias);

}  // namespace petlab::kernels
