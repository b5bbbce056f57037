// Rows of scores and copies of matrices, as the kernels of attention need them, for sources that
// are compiled once for each instruction set; see vectors-inl.hpp.

#if defined(PETLAB_KERNELS_ATTENTION_ROWS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef PETLAB_KERNELS_ATTENTION_ROWS_INL_HPP
#undef PETLAB_KERNELS_ATTENTION_ROWS_INL_HPP
#else
#define PETLAB_KERNELS_ATTENTION_ROWS_INL_HPP
#endif

#include "attention_rows.hpp"
#include "vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace petlab::kernels {
namespace HWY_NAMESPACE {

/// to[i] = factor from[i], i < n.
template <typename From, typename To>
HWY_INLINE void copy_scaled(const From* from, std::int64_t n, float factor, To* to) {
  for (std::int64_t d = 0; d < n; d += kWidth)
    store_first(n - d, broadcast(factor) * load_first(n - d, from + d), to + d);
}

/// Scores of a query -> exponentials of the differences to the largest, 0 from `seen` on up to
/// `padded`, a multiple of 16.
HWY_INLINE RowSum exponentials(float* row, std::int64_t seen, std::int64_t padded) {
  const Vector lowest = broadcast(-3.0e38F);
  Vector largest = lowest;
  for (std::int64_t j = 0; j < seen; j += kWidth)
    largest = larger(largest, first_of(seen - j, load(row + j), lowest));
  const float top = largest_of(largest);
  const Vector offset = broadcast(top);
  Vector sum = zeros();
  for (std::int64_t j = 0; j < padded; j += kWidth) {
    const Vector e = keep_first(seen - j, exp_of(load(row + j) - offset));
    sum = sum + e;
    store(e, row + j);
  }
  return {top, sum_of(sum)};
}

/// Four rows of 16 -> their columns, a row of four after the other in `to`.
HWY_INLINE void transpose_4(const float* const rows[4], float* to, std::int64_t to_row) {
#if HWY_TARGET == HWY_SCALAR
  for (std::int64_t c = 0; c < kWidth; ++c)
    for (std::int64_t r = 0; r < 4; ++r)
      to[c * to_row + r] = rows[r][c];
#else
  const FloatTag tag;
  const hn::Repartition<double, FloatTag> pairs;
  for (std::int64_t c = 0; c < kWidth; c += kLanes) {
    const auto r0 = hn::LoadU(tag, rows[0] + c), r1 = hn::LoadU(tag, rows[1] + c);
    const auto r2 = hn::LoadU(tag, rows[2] + c), r3 = hn::LoadU(tag, rows[3] + c);
    // In each block of four lanes on its own.
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(tag, r0, r1));
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(tag, r2, r3));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(tag, r0, r1));
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(tag, r2, r3));
    const HardwareVector columns[4] = {
        hn::BitCast(tag, hn::InterleaveLower(pairs, low01, low23)),
        hn::BitCast(tag, hn::InterleaveUpper(pairs, low01, low23)),
        hn::BitCast(tag, hn::InterleaveLower(pairs, high01, high23)),
        hn::BitCast(tag, hn::InterleaveUpper(pairs, high01, high23))};
    // Block b of columns[j] is column 4 b + j.
    for (std::int64_t j = 0; j < 4; ++j) {
      alignas(64) float blocks[kLanes];
      hn::Store(columns[j], tag, blocks);
      for (std::int64_t b = 0; b < kLanes / 4; ++b)
        std::memcpy(to + (c + 4 * b + j) * to_row, blocks + 4 * b, 4 * sizeof(float));
    }
  }
#endif
}

/// [n, width] -> [width, to_row], 0 behind column n up to the next multiple of 16; width is a
/// multiple of 16.
HWY_INLINE void transpose(const float* from, std::int64_t n, std::int64_t width, float* to,
                          std::int64_t to_row) {
  static constexpr float kZeros[kWidth] = {};
  for (std::int64_t i = 0; i < n; i += kWidth)
    for (std::int64_t d = 0; d < width; d += kWidth)
      for (std::int64_t r = i; r < i + kWidth; r += 4) {
        const float* rows[4];
        for (std::int64_t q = 0; q < 4; ++q)
          rows[q] = r + q < n ? from + (r + q) * width + d : kZeros;
        transpose_4(rows, to + d * to_row + r, to_row);
      }
}

}  // namespace HWY_NAMESPACE
}  // namespace petlab::kernels
HWY_AFTER_NAMESPACE();

#endif
