#pragma once

#include <immintrin.h>

/// For functions that are chosen at run time, where has_avx512() is true. A function that calls
/// such ones inline needs the attribute itself; a lambda does not inherit it.
#define PETLAB_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")))
#define PETLAB_AVX512_INLINE PETLAB_AVX512 __attribute__((always_inline)) inline

namespace petlab::kernels {

/// True where functions marked PETLAB_AVX512 may be called.
[[nodiscard]] inline bool has_avx512() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
  return has;
}

/// exp(x) of 16 floats, relative error below 2e-7. Below -87 it stays exp(-87), about 1.6e-38;
/// above 88 exp(88): never 0 of an underflow, never infinite. NaN stays NaN.
PETLAB_AVX512_INLINE __m512 vector_exp(__m512 x) {
  // min and max give their second operand where one is NaN.
  x = _mm512_min_ps(_mm512_set1_ps(88.0F), _mm512_max_ps(_mm512_set1_ps(-87.0F), x));
  // x = n log 2 + r, |r| <= log(2) / 2; log 2 in two parts, the first with few digits.
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504F)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375F), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4F), r);
  // exp(r) by Taylor's polynomial of degree 7: what it leaves out is below 1e-8.
  __m512 p = _mm512_set1_ps(1.0F / 5040);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 720));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 120));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 24));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 6));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(p, n);
}

/// 1 / (1 + exp(-x)) of 16 floats, relative error below 4e-7 for x > -80; below it stays
/// sigmoid(-80), about 2e-35.
PETLAB_AVX512_INLINE __m512 vector_sigmoid(__m512 x) {
  const __m512 negative =
      _mm512_min_ps(_mm512_set1_ps(80.0F), _mm512_xor_ps(x, _mm512_set1_ps(-0.0F)));
  const __m512 d = _mm512_add_ps(_mm512_set1_ps(1.0F), vector_exp(negative));
  // One step of Newton's after an estimate good to 14 bits; a division takes longer.
  const __m512 estimate = _mm512_rcp14_ps(d);
  return _mm512_mul_ps(estimate, _mm512_fnmadd_ps(d, estimate, _mm512_set1_ps(2.0F)));
}

/// CLIP's approximation of the GELU, x sigmoid(1.702 x).
PETLAB_AVX512_INLINE __m512 vector_quick_gelu(__m512 x) {
  return _mm512_mul_ps(x, vector_sigmoid(_mm512_mul_ps(x, _mm512_set1_ps(1.702F))));
}

/// Its derivative, s (1 + 1.702 x (1 - s)) with s = sigmoid(1.702 x).
PETLAB_AVX512_INLINE __m512 vector_quick_gelu_slope(__m512 x) {
  const __m512 z = _mm512_mul_ps(x, _mm512_set1_ps(1.702F));
  const __m512 s = vector_sigmoid(z);
  return _mm512_mul_ps(
      s, _mm512_fmadd_ps(z, _mm512_sub_ps(_mm512_set1_ps(1.0F), s), _mm512_set1_ps(1.0F)));
}

/// 16 floats, of which those behind `mask` are 0. A float or a bf16 lies behind the pointer.
PETLAB_AVX512_INLINE __m512 load_floats(const float* from, __mmask16 mask = 0xFFFF) {
  return _mm512_maskz_loadu_ps(mask, from);
}

struct Bfloat16 {
  unsigned short bits;
};

PETLAB_AVX512_INLINE __m512 load_floats(const Bfloat16* from, __mmask16 mask = 0xFFFF) {
  const __m256i bits = _mm256_maskz_loadu_epi16(mask, from);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

PETLAB_AVX512_INLINE void store_floats(float* to, __m512 x, __mmask16 mask = 0xFFFF) {
  _mm512_mask_storeu_ps(to, mask, x);
}

/// Rounds to the nearest, ties to even.
PETLAB_AVX512_INLINE void store_floats(Bfloat16* to, __m512 x, __mmask16 mask = 0xFFFF) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_srli_epi32(
      _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF))), 16);
  // NaN would be carried over into another number.
  rounded = _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q),
                                  _mm512_set1_epi32(0x7FC0));
  _mm256_mask_storeu_epi16(to, mask, _mm512_cvtepi32_epi16(rounded));
}

}  // namespace petlab::kernels
