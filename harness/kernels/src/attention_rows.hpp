#pragma once

#include "attention_kernel.hpp"
#include "vector_exp.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

/// What the kernels of attention share.
namespace petlab::kernels {

/// Memory of a thread, kept for its next head.
class Scratch {
 public:
  /// Room for `total` floats, all of it anew.
  void reset(std::int64_t total) {
    const auto wanted = static_cast<std::size_t>(total) + 16;
    if (memory_.size() < wanted) memory_.resize(wanted);
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    next_ = memory_.data() + (64 - address % 64) % 64 / sizeof(float);
  }
  float* take(std::int64_t n) {
    float* mine = next_;
    next_ += n;
    return mine;
  }

 private:
  std::vector<float> memory_;
  float* next_ = nullptr;
};

inline Scratch& scratch() {
  thread_local Scratch mine;
  return mine;
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

template <typename T>
std::int64_t seen_by(const HeadInputs<T>& in, std::int64_t query) {
  return in.shared + std::min(in.own, in.visible + query + 1);
}

/// Scores of a query, times `scale` > 0 -> exponentials, 0 from `seen` on; returns their sum and
/// the largest score.
struct RowSum {
  float largest;
  float sum;
};
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
