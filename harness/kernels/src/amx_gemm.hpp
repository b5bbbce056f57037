#pragma once

#include "amx_pack.hpp"

#include <cstdint>

namespace petlab::kernels {

/// C [m, n] = A [m, k] B [k, n] + bias.
struct Gemm {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  MatrixView a;
  MatrixView b;
  /// 3: fp32 products, each number the sum of three bf16. 1: products of bf16.
  int parts = 3;
  const float* bias = nullptr;  ///< [n] or null
  void* c = nullptr;            ///< rows of `n` elements, or null when only `activated` is wanted
  void* activated = nullptr;    ///< quick_gelu(C), or null
  Element element = Element::fp32;  ///< of C and of `activated`
};

/// Computes C on at::get_num_threads() threads. K is summed in the same order whatever their
/// number, so the result is the same to the bit. False, and then nothing of C may be used, when a
/// number of A or B is not finite or not below 2^96. Needs has_amx().
[[nodiscard]] bool amx_gemm(const Gemm& gemm);

}  // namespace petlab::kernels
