#pragma once

#include <ATen/core/Tensor.h>

namespace petlab::plugins::mmap {

/// Kronecker product of each pair of matrices, K (x) P, differentiable in both:
/// result[p*m + i, q*n + j] = K[p, q] * P[i, j].
///
/// `scales` K is [..., r, c], `source` P is [..., m, n], the result [..., r*m, c*n]; leading
/// dimensions broadcast. With a gradient G of the result, the gradients are
/// dK[p, q] = sum_ij G[p*m+i, q*n+j] P[i, j] and dP[i, j] = sum_pq G[p*m+i, q*n+j] K[p, q].
[[nodiscard]] at::Tensor kronecker(const at::Tensor& scales, const at::Tensor& source);

}  // namespace petlab::plugins::mmap
