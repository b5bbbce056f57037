#pragma once

#include <cstddef>
#include <cstdint>

namespace petlab::kernels {

enum class Element { fp32, bf16 };

/// A matrix in memory, one of whose strides is 1.
struct MatrixView {
  const void* data = nullptr;
  Element element = Element::fp32;
  std::int64_t stride_k = 0;      ///< elements from one step of the summed dimension to the next
  std::int64_t stride_other = 0;  ///< elements from one row (of A) or column (of B) to the next
  /// When not null, a matrix of the same type and strides: what is packed is
  /// data * quick_gelu'(slope_at).
  const void* slope_at = nullptr;
};

// A panel is 32 rows of A (or columns of B) as the tiles want them: for each 32 steps of the summed
// dimension k, for each part of the numbers, two tiles of 16 rows of 16 pairs of bf16. A pair holds
// the steps r and r + 16. Tiles of A have a row for each row of A, tiles of B one for each pair.
constexpr std::int64_t kPanel = 32;
constexpr std::int64_t kStep = 32;
constexpr std::int64_t kTileBytes = 1024;

[[nodiscard]] constexpr std::int64_t steps_of(std::int64_t k) {
  return (k + kStep - 1) / kStep;
}

[[nodiscard]] constexpr std::int64_t step_bytes(int parts) {
  return 2 * kTileBytes * parts;
}

/// What was seen while packing.
struct Packed {
  int parts = 1;         ///< parts that are not all zero, counted from the first
  bool in_range = true;  ///< false: not finite, or too large to be split
};

enum class Role { a, b };

/// Packs `count` <= 32 rows (of A) or columns (of B), beginning with number `first`, of the steps
/// [k_begin, k_end) into `panel`, with zeros beyond. With 3 parts each number is the exact sum of
/// three bf16, with 1 it is rounded to bf16.
/// Numbers below 2^-126 count as zero, and parts below it are lost.
Packed pack_panel(Role role, int parts, const MatrixView& matrix, std::int64_t first,
                  std::int64_t count, std::int64_t k_begin, std::int64_t k_end, char* panel);

}  // namespace petlab::kernels
