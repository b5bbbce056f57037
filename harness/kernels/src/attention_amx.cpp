#include "amx.hpp"
#include "amx_vectors.hpp"
#include "attention_kernel.hpp"
#include "attention_rows.hpp"
#include "matmul_choice.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::kernels {

#ifdef PETLAB_HAS_AMX_CODE

namespace {

/// bf16 rows of the left factor, `row` elements apart, and of the right factor, where a 32-bit word
/// holds the elements of two neighbouring steps: word [k / 2][column].
struct TileFactors {
  const Bfloat16* left;
  std::int64_t left_row;
  const float* right;
  std::int64_t right_row;
  std::int64_t depth;  ///< a multiple of 32; factors hold zeros where there is nothing
};

/// 16 or 32 rows by 16 or 32 columns of the product.
template <bool TwoRows, bool TwoColumns>
PETLAB_AMX void tiles(const TileFactors& f, float* c, std::int64_t c_row) {
  const std::int64_t left_bytes = 2 * f.left_row;
  const std::int64_t right_bytes = 4 * f.right_row;
  const std::int64_t c_bytes = 4 * c_row;
  _tile_zero(0);
  if constexpr (TwoColumns) _tile_zero(1);
  if constexpr (TwoRows) _tile_zero(2);
  if constexpr (TwoRows && TwoColumns) _tile_zero(3);
  for (std::int64_t k = 0; k < f.depth; k += 32) {
    const Bfloat16* left = f.left + k;
    const float* right = f.right + k / 2 * f.right_row;
    _tile_loadd(4, left, left_bytes);
    _tile_loadd(6, right, right_bytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (TwoColumns) {
      _tile_loadd(7, right + 16, right_bytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (TwoRows) {
      _tile_loadd(5, left + 16 * f.left_row, left_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (TwoColumns) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, c, c_bytes);
  if constexpr (TwoColumns) _tile_stored(1, c + 16, c_bytes);
  if constexpr (TwoRows) _tile_stored(2, c + 16 * c_row, c_bytes);
  if constexpr (TwoRows && TwoColumns) _tile_stored(3, c + 16 * c_row + 16, c_bytes);
}

/// c [rows, columns], both multiples of 16.
void multiply(const TileFactors& f, std::int64_t rows, std::int64_t columns, float* c,
              std::int64_t c_row) {
  for (std::int64_t j = 0; j < columns; j += 32) {
    for (std::int64_t i = 0; i < rows; i += 32) {
      const TileFactors part{f.left + i * f.left_row, f.left_row, f.right + j, f.right_row,
                             f.depth};
      float* to = c + i * c_row + j;
      if (i + 32 <= rows)
        j + 32 <= columns ? tiles<true, true>(part, to, c_row)
                          : tiles<true, false>(part, to, c_row);
      else
        j + 32 <= columns ? tiles<false, true>(part, to, c_row)
                          : tiles<false, false>(part, to, c_row);
    }
  }
}

constexpr std::int64_t up_to(std::int64_t n, std::int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

using Source = Rows<const Bfloat16>;

/// n rows and zeros up to row `padded`.
PETLAB_AVX512 void copy(Source from, std::int64_t n, std::int64_t padded, std::int64_t width,
                        Bfloat16* to) {
  for (std::int64_t i = 0; i < padded; ++i)
    for (std::int64_t d = 0; d < width; d += 32)
      _mm512_storeu_si512(
          to + i * width + d,
          i < n ? _mm512_loadu_si512(from.first + i * from.step + d) : _mm512_setzero_si512());
}

/// [shared + own, width] and zeros up to row `padded`.
void copy_keys(const HeadInputs<Bfloat16>& in, Source shared, Source own, std::int64_t padded,
               Bfloat16* to) {
  copy(shared, in.shared, in.shared, in.width, to);
  copy(own, in.own, padded - in.shared, in.width, to + in.shared * in.width);
}

/// rows [n, width] -> the right factor of x rows^T: words [width / 2][n].
void turn_for_right(const Bfloat16* rows, std::int64_t n, std::int64_t width, float* words) {
  transpose(reinterpret_cast<const float*>(rows), n, width / 2, words, n);
}

/// Two rows of a right factor, their elements alternating.
PETLAB_AVX512_INLINE void store_pairs(__m512i even, __m512i odd, float* words) {
  _mm512_storeu_si512(words, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
}

/// 16 elements in the low halves of words.
PETLAB_AVX512_INLINE __m512i words_of(const Bfloat16* from) {
  return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

/// rows [n, width] -> the right factor of x rows: words [n / 2][width].
PETLAB_AVX512 void pair_for_right(const Bfloat16* rows, std::int64_t n, std::int64_t width,
                                  float* words) {
  for (std::int64_t i = 0; i < n; i += 2)
    for (std::int64_t d = 0; d < width; d += 16)
      store_pairs(words_of(rows + i * width + d), words_of(rows + (i + 1) * width + d),
                  words + i / 2 * width + d);
}

/// rows [n, width] -> [width][n], n a multiple of 16.
PETLAB_AVX512 void turn_for_left(const Bfloat16* rows, std::int64_t n, std::int64_t width,
                                 Bfloat16* to) {
  for (std::int64_t i = 0; i < n; i += 16)
    for (std::int64_t d = 0; d < width; d += 16)
      transpose_16<Bfloat16>({rows + i * width + d, width}, 16, to + d * n + i, n);
}

/// Floats rounded to bf16, in the low halves of words.
PETLAB_AVX512_INLINE __m512i rounded(__m512 x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  return _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF))),
                           16);
}

/// What a pair of rows of scores s and of the probabilities' gradients g becomes: probabilities p
/// and `scale` p (g - sum of p g), alternating; the latter also as rows.
struct PairTo {
  float* probabilities;
  float* slopes;
  Bfloat16* slope_rows[2];
};

PETLAB_AVX512 void softmax_backward_pair(float* scores, float* gradients, std::int64_t row,
                                         const float* log_sums, const std::int64_t* seen,
                                         std::int64_t padded, float scale, const PairTo& to) {
  const __m512 factor = _mm512_set1_ps(scale);
  __m512 mean[2];
  for (int i = 0; i < 2; ++i) {
    const __m512 offset = _mm512_set1_ps(log_sums[i]);
    __m512 sum = _mm512_setzero_ps();
    for (std::int64_t j = 0; j < padded; j += 16) {
      float* at = scores + i * row + j;
      const __m512 p =
          _mm512_maskz_mov_ps(first_lanes(seen[i] - j),
                              vector_exp(_mm512_fmsub_ps(factor, _mm512_loadu_ps(at), offset)));
      _mm512_storeu_ps(at, p);
      sum = _mm512_fmadd_ps(p, _mm512_loadu_ps(gradients + i * row + j), sum);
    }
    mean[i] = _mm512_set1_ps(_mm512_reduce_add_ps(sum));
  }
  for (std::int64_t j = 0; j < padded; j += 16) {
    __m512i p[2];
    __m512i slope[2];
    for (int i = 0; i < 2; ++i) {
      const __m512 value = _mm512_loadu_ps(scores + i * row + j);
      const __m512 g = _mm512_sub_ps(_mm512_loadu_ps(gradients + i * row + j), mean[i]);
      p[i] = rounded(value);
      slope[i] = rounded(_mm512_mul_ps(factor, _mm512_mul_ps(value, g)));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to.slope_rows[i] + j),
                          _mm512_cvtepi32_epi16(slope[i]));
    }
    store_pairs(p[0], p[1], to.probabilities + j);
    store_pairs(slope[0], slope[1], to.slopes + j);
  }
}

PETLAB_AVX512 void round_row(const float* from, std::int64_t n, float scale, Bfloat16* to) {
  const __m512 factor = _mm512_set1_ps(scale);
  for (std::int64_t j = 0; j < n; j += 16)
    store_floats(to + j, _mm512_mul_ps(factor, _mm512_loadu_ps(from + j)));
}

/// Rows of a gradient [D, keys] that was computed transposed: those of shared and of own keys.
PETLAB_AVX512 void store_turned(const HeadInputs<Bfloat16>& in, const float* turned,
                                std::int64_t keys, float* plain, Rows<Bfloat16> own,
                                Rows<float> shared) {
  for (std::int64_t d = 0; d < in.width; d += 16)
    for (std::int64_t i = 0; i < keys; i += 16)
      transpose_16<float>({turned + d * keys + i, keys}, 16, plain + i * in.width + d, in.width);
  if (shared.first != nullptr)
    for (std::int64_t i = 0; i < in.shared; ++i)
      std::copy_n(plain + i * in.width, in.width, shared.first + i * shared.step);
  if (own.first != nullptr)
    for (std::int64_t i = 0; i < in.own; ++i)
      round_row(plain + (in.shared + i) * in.width, in.width, 1.0F, own.first + i * own.step);
}

/// Memory for bf16 out of that for floats.
Bfloat16* take_bf16(Scratch& memory, std::int64_t n) {
  return reinterpret_cast<Bfloat16*>(memory.take(up_to(n, 32) / 2));
}

}  // namespace

bool tiles_serve(std::int64_t width) {
  return width % 32 == 0 && amx_chosen();
}

void attend_head_tiles(const HeadInputs<Bfloat16>& in, Rows<Bfloat16> out, float* log_sums) {
  const TileScope scope;
  const std::int64_t width = in.width;
  const std::int64_t queries = up_to(in.queries, 16);
  const std::int64_t keys = up_to(in.shared + in.own, 32);
  const float scale = 1.0F / std::sqrt(static_cast<float>(width));
  Scratch& memory = scratch();
  memory.reset((queries + 3 * keys) * width + 2 * queries * keys + queries * width + queries);
  Bfloat16* query = take_bf16(memory, queries * width);
  Bfloat16* key = take_bf16(memory, keys * width);
  float* right = memory.take(keys * width / 2);
  float* scores = memory.take(queries * keys);
  Bfloat16* weights = take_bf16(memory, queries * keys);
  float* sums = memory.take(queries * width);
  float* inverse = memory.take(queries);
  copy(in.query, in.queries, queries, width, query);
  copy_keys(in, in.shared_key, in.key, keys, key);
  turn_for_right(key, keys, width, right);
  multiply({query, width, right, keys, width}, queries, keys, scores, keys);
  for (std::int64_t i = 0; i < queries; ++i) {
    float* row = scores + i * keys;
    if (i < in.queries) {
      const RowSum sum = exponentials(row, seen_by(in, i), keys, scale);
      inverse[i] = 1.0F / sum.sum;
      log_sums[i] = sum.largest + std::log(sum.sum);
    }
    round_row(row, keys, 1.0F, weights + i * keys);
  }
  copy_keys(in, in.shared_value, in.value, keys, key);
  pair_for_right(key, keys, width, right);
  multiply({weights, keys, right, width, keys}, queries, width, sums, width);
  for (std::int64_t i = 0; i < in.queries; ++i)
    round_row(sums + i * width, width, inverse[i], out.first + i * out.step);
}

void attend_head_backward_tiles(const HeadInputs<Bfloat16>& in, Rows<const Bfloat16> upstream,
                                const float* log_sums, const HeadGradients<Bfloat16>& out) {
  const TileScope scope;
  const std::int64_t width = in.width;
  const std::int64_t queries = up_to(in.queries, 32);
  const std::int64_t keys = up_to(in.shared + in.own, 32);
  const float scale = 1.0F / std::sqrt(static_cast<float>(width));
  Scratch& memory = scratch();
  memory.reset(3 * (queries + keys) * width + 4 * queries * keys + queries * width +
               2 * keys * width);
  Bfloat16* query = take_bf16(memory, queries * width);
  Bfloat16* gradient = take_bf16(memory, queries * width);
  Bfloat16* turned_left = take_bf16(memory, queries * width);
  Bfloat16* key = take_bf16(memory, keys * width);
  float* right = memory.take(keys * width / 2);
  float* scores = memory.take(queries * keys);
  float* slopes = memory.take(queries * keys);
  float* paired = memory.take(queries / 2 * keys);
  float* paired_slopes = memory.take(queries / 2 * keys);
  Bfloat16* slope_rows = take_bf16(memory, queries * keys);
  float* result = memory.take(std::max(queries, keys) * width);
  float* plain = memory.take(keys * width);
  copy(in.query, in.queries, queries, width, query);
  copy(upstream, in.queries, queries, width, gradient);
  copy_keys(in, in.shared_value, in.value, keys, key);
  turn_for_right(key, keys, width, right);
  multiply({gradient, width, right, keys, width}, queries, keys, slopes, keys);
  copy_keys(in, in.shared_key, in.key, keys, key);
  turn_for_right(key, keys, width, right);
  multiply({query, width, right, keys, width}, queries, keys, scores, keys);
  for (std::int64_t i = 0; i < queries; i += 2) {
    float logs[2] = {0.0F, 0.0F};
    std::int64_t seen[2] = {0, 0};  // rows of padding see nothing
    for (std::int64_t r = 0; r < 2 && i + r < in.queries; ++r) {
      logs[r] = log_sums[i + r];
      seen[r] = seen_by(in, i + r);
    }
    softmax_backward_pair(scores + i * keys, slopes + i * keys, keys, logs, seen, keys, scale,
                          {paired + i / 2 * keys,
                           paired_slopes + i / 2 * keys,
                           {slope_rows + i * keys, slope_rows + (i + 1) * keys}});
  }
  if (out.value.first != nullptr || out.shared_value.first != nullptr) {
    turn_for_left(gradient, queries, width, turned_left);
    multiply({turned_left, queries, paired, keys, queries}, width, keys, result, keys);
    store_turned(in, result, keys, plain, out.value, out.shared_value);
  }
  if (out.key.first != nullptr || out.shared_key.first != nullptr) {
    turn_for_left(query, queries, width, turned_left);
    multiply({turned_left, queries, paired_slopes, keys, queries}, width, keys, result, keys);
    store_turned(in, result, keys, plain, out.key, out.shared_key);
  }
  if (out.query.first != nullptr) {
    pair_for_right(key, keys, width, right);
    multiply({slope_rows, keys, right, width, keys}, queries, width, result, width);
    for (std::int64_t i = 0; i < in.queries; ++i)
      round_row(result + i * width, width, 1.0F, out.query.first + i * out.query.step);
  }
}

#else

bool tiles_serve(std::int64_t) {
  return false;
}
void attend_head_tiles(const HeadInputs<Bfloat16>&, Rows<Bfloat16>, float*) {}
void attend_head_backward_tiles(const HeadInputs<Bfloat16>&, Rows<const Bfloat16>, const float*,
                                const HeadGradients<Bfloat16>&) {}

#endif

}  // namespace petlab::kernels
