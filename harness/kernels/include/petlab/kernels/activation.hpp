#pragma once

#include <ATen/core/Tensor.h>

namespace petlab::kernels {

/// x sigmoid(1.702 x), CLIP's approximation of the GELU. Differentiable.
[[nodiscard]] at::Tensor quick_gelu(const at::Tensor& x);

}  // namespace petlab::kernels
