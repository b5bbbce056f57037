#include "amx_pack.hpp"

#include "amx.hpp"

#ifdef PETLAB_HAS_AMX_CODE
#include "amx_vectors.hpp"

namespace petlab::kernels {
namespace {

/// Collects what pack_panel reports.
struct Seen {
  __m512i largest;  // of the bits shifted left by one: without the sign
  __m512i second;   // any bit of a second part
  __m512i third;
};

/// 16 numbers of a matrix from the element `at` on.
template <class T>
struct Plain {
  const T* data;
  PETLAB_AMX_INLINE __m512 load(std::int64_t at, __mmask16 mask) const {
    return load_floats(data + at, mask);
  }
};

template <class T>
struct Sloped {
  const T* data;
  const T* slope_at;
  PETLAB_AMX_INLINE __m512 load(std::int64_t at, __mmask16 mask) const {
    return _mm512_mul_ps(load_floats(data + at, mask),
                         vector_quick_gelu_slope(load_floats(slope_at + at, mask)));
  }
};

PETLAB_AMX_INLINE __m512i pair(__m512i low, __m512i high) {
  const __m512i upper_half = _mm512_set1_epi32(static_cast<int>(0xffff0000U));
  // (high & mask) | (low >> 16)
  return _mm512_ternarylogic_epi32(high, upper_half, _mm512_srli_epi32(low, 16), 0xea);
}

/// The nearest bf16 as a float; which of two equally near ones does not matter for the sum.
PETLAB_AMX_INLINE __m512 nearest(__m512 x) {
  const __m512i upper_half = _mm512_set1_epi32(static_cast<int>(0xffff0000U));
  const __m512i up = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
  return _mm512_castsi512_ps(_mm512_and_epi32(up, upper_half));
}

/// The bits of x rounded to bf16 as LibTorch rounds: to nearest, ties to even.
PETLAB_AMX_INLINE __m512i rounded(__m512 x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  return _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
}

PETLAB_AMX_INLINE void note_largest(Seen& seen, __m512 x) {
  const __m512i bits = _mm512_castps_si512(x);
  seen.largest = _mm512_max_epu32(seen.largest, _mm512_add_epi32(bits, bits));
}

/// Writes the pairs (low, high) of each part; parts are `part_bytes` apart.
template <int kParts>
PETLAB_AMX_INLINE void split(__m512 low, __m512 high, char* to, std::int64_t part_bytes,
                             Seen& seen) {
  note_largest(seen, low);
  note_largest(seen, high);
  if constexpr (kParts == 1) {
    _mm512_store_si512(to, pair(rounded(low), rounded(high)));
  } else {
    const __m512 low1 = nearest(low), high1 = nearest(high);
    const __m512 low_rest = _mm512_sub_ps(low, low1), high_rest = _mm512_sub_ps(high, high1);
    const __m512 low2 = nearest(low_rest), high2 = nearest(high_rest);
    const __m512i low3 = _mm512_castps_si512(_mm512_sub_ps(low_rest, low2));
    const __m512i high3 = _mm512_castps_si512(_mm512_sub_ps(high_rest, high2));
    const __m512i second = pair(_mm512_castps_si512(low2), _mm512_castps_si512(high2));
    const __m512i third = pair(low3, high3);
    seen.second = _mm512_or_epi32(seen.second, second);
    seen.third = _mm512_or_epi32(seen.third, third);
    _mm512_store_si512(to, pair(_mm512_castps_si512(low1), _mm512_castps_si512(high1)));
    _mm512_store_si512(to + part_bytes, second);
    _mm512_store_si512(to + 2 * part_bytes, third);
  }
}

PETLAB_AMX_INLINE __m128i quarter(const char* at) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(at));
}

/// Transposes a tile of 16 x 16 pairs.
PETLAB_AMX_INLINE void transpose_tile(const char* from, char* to) {
  for (int group = 0; group < 4; ++group) {  // four columns of the source, four rows of the result
    const char* column = from + 16 * group;
    __m512i lines[4];
    for (int j = 0; j < 4; ++j) {
      // 128-bit lane l holds the four columns of row 4 l + j.
      const char* row = column + 64 * j;
      __m512i line = _mm512_castsi128_si512(quarter(row));
      line = _mm512_mask_broadcast_i32x4(line, 0x00f0, quarter(row + 4 * 64));
      line = _mm512_mask_broadcast_i32x4(line, 0x0f00, quarter(row + 8 * 64));
      lines[j] = _mm512_mask_broadcast_i32x4(line, 0xf000, quarter(row + 12 * 64));
    }
    const __m512i low01 = _mm512_unpacklo_epi32(lines[0], lines[1]);
    const __m512i high01 = _mm512_unpackhi_epi32(lines[0], lines[1]);
    const __m512i low23 = _mm512_unpacklo_epi32(lines[2], lines[3]);
    const __m512i high23 = _mm512_unpackhi_epi32(lines[2], lines[3]);
    char* out = to + 256 * group;
    _mm512_store_si512(out, _mm512_unpacklo_epi64(low01, low23));
    _mm512_store_si512(out + 64, _mm512_unpackhi_epi64(low01, low23));
    _mm512_store_si512(out + 128, _mm512_unpacklo_epi64(high01, high23));
    _mm512_store_si512(out + 192, _mm512_unpackhi_epi64(high01, high23));
  }
}

PETLAB_AMX_INLINE __mmask16 mask_of(std::int64_t count) {
  if (count >= 16) return 0xffff;
  return count <= 0 ? __mmask16{0} : static_cast<__mmask16>((1U << count) - 1U);
}

/// One step with k contiguous: a row of pairs for each of 32 rows of the matrix.
template <int kParts, class Source>
PETLAB_AMX_INLINE void stage_rows(const Source& source, std::int64_t at, std::int64_t stride,
                                  std::int64_t count, std::int64_t k_left, char* to, Seen& seen) {
  const __mmask16 low_mask = mask_of(k_left), high_mask = mask_of(k_left - 16);
  for (std::int64_t row = 0; row < kPanel; ++row) {
    const bool there = row < count;
    const std::int64_t from = at + (there ? row * stride : 0);
    const __m512 low = source.load(from, there ? low_mask : __mmask16{0});
    const __m512 high = source.load(from + 16, there ? high_mask : __mmask16{0});
    split<kParts>(low, high, to + 64 * row, 2 * kTileBytes, seen);
  }
}

/// One step with k strided: a row of 2 x 16 matrix rows for each pair.
template <int kParts, class Source>
PETLAB_AMX_INLINE void stage_pairs(const Source& source, std::int64_t at, std::int64_t stride,
                                   std::int64_t count, std::int64_t k_left, char* to, Seen& seen) {
  for (std::int64_t tile = 0; tile < 2; ++tile) {
    const __mmask16 mask = mask_of(count - 16 * tile);
    for (std::int64_t r = 0; r < 16; ++r) {
      const __mmask16 low_mask = r < k_left ? mask : __mmask16{0};
      const __mmask16 high_mask = r + 16 < k_left ? mask : __mmask16{0};
      const std::int64_t from = at + 16 * tile;
      const __m512 low = source.load(from + (low_mask != 0 ? r * stride : 0), low_mask);
      const __m512 high = source.load(from + (high_mask != 0 ? (r + 16) * stride : 0), high_mask);
      split<kParts>(low, high, to + kTileBytes * tile + 64 * r, 2 * kTileBytes, seen);
    }
  }
}

template <int kParts, class Source>
PETLAB_AMX Packed pack(Role role, const Source& source, const MatrixView& matrix,
                       std::int64_t first, std::int64_t count, std::int64_t k_begin,
                       std::int64_t k_end, char* panel) {
  alignas(64) char staged[static_cast<std::size_t>(step_bytes(kParts))];
  Seen seen{_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  const bool rows = matrix.stride_k == 1;
  const bool transposed = rows != (role == Role::a);
  for (std::int64_t k = k_begin; k < k_end; k += kStep, panel += step_bytes(kParts)) {
    const std::int64_t at = first * matrix.stride_other + k * matrix.stride_k;
    char* to = transposed ? staged : panel;
    if (rows) {
      stage_rows<kParts>(source, at, matrix.stride_other, count, k_end - k, to, seen);
    } else {
      stage_pairs<kParts>(source, at, matrix.stride_k, count, k_end - k, to, seen);
    }
    if (transposed) {
      for (int tile = 0; tile < 2 * kParts; ++tile)
        transpose_tile(staged + kTileBytes * tile, panel + kTileBytes * tile);
    }
  }
  // Numbers from 2^96 on are left to others: no sum of products can overflow early then.
  constexpr unsigned kTooLarge = (96U + 127U) << 24;
  const int parts = _mm512_test_epi32_mask(seen.third, seen.third) != 0     ? 3
                    : _mm512_test_epi32_mask(seen.second, seen.second) != 0 ? 2
                                                                            : 1;
  return {.parts = parts, .in_range = _mm512_reduce_max_epu32(seen.largest) < kTooLarge};
}

}  // namespace

Packed pack_panel(Role role, int parts, const MatrixView& matrix, std::int64_t first,
                  std::int64_t count, std::int64_t k_begin, std::int64_t k_end, char* panel) {
  const auto with = [&](const auto& source) {
    return parts == 1 ? pack<1>(role, source, matrix, first, count, k_begin, k_end, panel)
                      : pack<3>(role, source, matrix, first, count, k_begin, k_end, panel);
  };
  const auto of_type = [&]<class T>(const T* data) {
    const auto* slope_at = static_cast<const T*>(matrix.slope_at);
    return slope_at == nullptr ? with(Plain<T>{data}) : with(Sloped<T>{data, slope_at});
  };
  return matrix.element == Element::bf16 ? of_type(static_cast<const Bfloat16*>(matrix.data))
                                         : of_type(static_cast<const float*>(matrix.data));
}

}  // namespace petlab::kernels
#endif
