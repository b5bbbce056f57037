#pragma once

#include "attention_rows.hpp"
#include "bfloat16.hpp"

#include <immintrin.h>

#include <cstdint>

/// AVX-512 functions of the AMX kernels: every CPU with AMX has it. All other kernels are written
/// on vectors-inl.hpp, which serves every CPU; functions that both have give the same bits.
#define PETLAB_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")))
#define PETLAB_AVX512_INLINE PETLAB_AVX512 __attribute__((always_inline)) inline

namespace petlab::kernels {

/// exp(x) of 16 floats, relative error below 2e-7. Below -87 it stays exp(-87), about 1.6e-38;
/// above 88 exp(88): never 0 of an underflow, never infinite. NaN stays NaN.
PETLAB_AVX512_INLINE __m512 vector_exp(__m512 x) {
  // min and max give their second operand where one is NaN.
  x = _mm512_min_ps(_mm512_set1_ps(88.0F), _mm512_max_ps(_mm512_set1_ps(-87.0F), x));
  // x = n log 2 + r, |r| <= log(2) / 2; log 2 in two parts, the first with few digits.
  // Adding 1.5 2^23 rounds to an integer.
  const __m512 rounder = _mm512_set1_ps(12582912.0F);
  const __m512 n = _mm512_sub_ps(_mm512_fmadd_ps(x, _mm512_set1_ps(1.44269504F), rounder), rounder);
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

/// 1 / (1 + exp(-x)) of 16 floats, relative error below 4e-7 for x > -87; below it stays
/// sigmoid(-87), about 1.6e-38.
PETLAB_AVX512_INLINE __m512 vector_sigmoid(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0F);
  const __m512 negative =
      _mm512_min_ps(_mm512_set1_ps(87.0F), _mm512_sub_ps(_mm512_setzero_ps(), x));
  return _mm512_div_ps(one, _mm512_add_ps(one, vector_exp(negative)));
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

/// The transposed of 16 x 16 elements, of which rows from `rows` on are taken as 0.
template <typename T, typename To>
PETLAB_AVX512 void transpose_16(Rows<const T> from, std::int64_t rows, To* to,
                                std::int64_t to_row) {
  __m512 a[16];
  __m512 b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i)
    a[i] = i < rows ? load_floats(from.first + i * from.step) : _mm512_setzero_ps();
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    b[2 * i] = _mm512_unpacklo_ps(a[2 * i], a[2 * i + 1]);
    b[2 * i + 1] = _mm512_unpackhi_ps(a[2 * i], a[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    a[4 * i] = _mm512_shuffle_ps(b[4 * i], b[4 * i + 2], 0x44);
    a[4 * i + 1] = _mm512_shuffle_ps(b[4 * i], b[4 * i + 2], 0xEE);
    a[4 * i + 2] = _mm512_shuffle_ps(b[4 * i + 1], b[4 * i + 3], 0x44);
    a[4 * i + 3] = _mm512_shuffle_ps(b[4 * i + 1], b[4 * i + 3], 0xEE);
  }
  // a[4 g + c], lane l: elements (rows 4 g .. 4 g + 3) of column 4 l + c.
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const __m512 low_even = _mm512_shuffle_f32x4(a[c], a[4 + c], 0x88);
    const __m512 low_odd = _mm512_shuffle_f32x4(a[c], a[4 + c], 0xDD);
    const __m512 high_even = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0x88);
    const __m512 high_odd = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0xDD);
    store_floats(to + c * to_row, _mm512_shuffle_f32x4(low_even, high_even, 0x88));
    store_floats(to + (4 + c) * to_row, _mm512_shuffle_f32x4(low_odd, high_odd, 0x88));
    store_floats(to + (8 + c) * to_row, _mm512_shuffle_f32x4(low_even, high_even, 0xDD));
    store_floats(to + (12 + c) * to_row, _mm512_shuffle_f32x4(low_odd, high_odd, 0xDD));
  }
}

/// [n, width] -> [width, to_row], 0 behind column n; to_row is n rounded up.
PETLAB_AVX512 inline void transpose(const float* from, std::int64_t n, std::int64_t width,
                                    float* to, std::int64_t to_row) {
  for (std::int64_t i = 0; i < n; i += 16)
    for (std::int64_t d = 0; d < width; d += 16)
      transpose_16<float>({from + i * width + d, width}, n - i, to + d * to_row + i, to_row);
}

PETLAB_AVX512_INLINE __mmask16 first_lanes(std::int64_t n) {
  return static_cast<__mmask16>(n >= 16 ? 0xFFFFU : n <= 0 ? 0U : (1U << n) - 1U);
}

/// Scores of a query, times `scale` > 0 -> exponentials, 0 from `seen` on; returns their sum and
/// the largest score.
PETLAB_AVX512 inline RowSum exponentials(float* row, std::int64_t seen, std::int64_t padded,
                                         float scale) {
  const __m512 lowest = _mm512_set1_ps(-3.0e38F);
  __m512 largest = lowest;
  for (std::int64_t j = 0; j < seen; j += 16)
    largest = _mm512_max_ps(largest, _mm512_mask_loadu_ps(lowest, first_lanes(seen - j), row + j));
  const __m512 factor = _mm512_set1_ps(scale);
  const float top = scale * _mm512_reduce_max_ps(largest);
  const __m512 offset = _mm512_set1_ps(top);
  __m512 sum = _mm512_setzero_ps();
  for (std::int64_t j = 0; j < padded; j += 16) {
    const __m512 e =
        _mm512_maskz_mov_ps(first_lanes(seen - j),
                            vector_exp(_mm512_fmsub_ps(factor, _mm512_loadu_ps(row + j), offset)));
    sum = _mm512_add_ps(sum, e);
    _mm512_storeu_ps(row + j, e);
  }
  return {top, _mm512_reduce_add_ps(sum)};
}

}  // namespace petlab::kernels
