#pragma once

#include <cstdint>

namespace petlab::kernels {

/// Whether products may be computed by amx_gemm: the machine has AMX and PETLAB_MATMUL does not say
/// `library`. Asked once. Throws when PETLAB_MATMUL holds anything else.
[[nodiscard]] bool amx_chosen();

/// Whether amx_gemm is the faster one for [m, k] x [k, n], by measurement; `bf16` for products of
/// that precision.
[[nodiscard]] bool amx_pays(std::int64_t m, std::int64_t n, std::int64_t k, bool bf16);

}  // namespace petlab::kernels
