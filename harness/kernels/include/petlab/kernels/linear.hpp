#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace petlab::kernels {

/// y = x W^T + b, as at::linear: x [..., K], W [N, K], b [N] or undefined -> [..., N].
/// Differentiable in all three; only gradients that are asked for are computed. Under autocast the
/// product is computed in its type, as at::linear does it.
/// On a CPU with AMX, products of fp32 matrices are sums of products of bf16 parts; their error is
/// that of LibTorch's own products (README). The same to the bit with any number of threads.
[[nodiscard]] at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                                const at::Tensor& bias);

/// quick_gelu(linear(x, weight, bias)), the first half of CLIP's MLP.
[[nodiscard]] at::Tensor linear_quick_gelu(const at::Tensor& x, const at::Tensor& weight,
                                           const at::Tensor& bias);

/// How products of fp32 matrices are computed on this machine's CPU: `amx-bf16x6`, or `library` for
/// LibTorch's own way, which the environment variable PETLAB_MATMUL=library asks for. Throws
/// base::Error when that variable holds anything else.
[[nodiscard]] std::string matmul_name();

}  // namespace petlab::kernels
