#pragma once

#include <ATen/core/Tensor.h>

namespace petlab::kernels {

/// x sigmoid(1.702 x), CLIP's approximation of the GELU. Differentiable (once); keeps x alone.
[[nodiscard]] at::Tensor quick_gelu(const at::Tensor& x);

/// Its gradient at x: upstream * slope(x), both of x's shape. Not differentiable.
[[nodiscard]] at::Tensor quick_gelu_backward(const at::Tensor& upstream, const at::Tensor& x);

}  // namespace petlab::kernels
