#pragma once

#include <ATen/core/Tensor.h>

namespace petlab::kernels {

/// a [M, K] times b [K, N] plus bias [N] (undefined: none) -> [M, N] by LibTorch, fp32 on the CPU
/// in pieces of the result that depend on the sizes alone and are the work of one thread each: any
/// number of threads gives the same bits. Without derivatives.
[[nodiscard]] at::Tensor library_product(const at::Tensor& a, const at::Tensor& b,
                                         const at::Tensor& bias);

}  // namespace petlab::kernels
