#pragma once

#include "vector_exp.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

/// Products of matrices that lie in the nearer caches, as attention needs them, with AVX-512.
namespace petlab::kernels {

/// The left factor: element (i, k) stands at values[i * row + k * column], so that a transposed
/// matrix needs no copy.
struct LeftFactor {
  const float* values;
  std::int64_t row;
  std::int64_t column;
};

namespace small_product {

constexpr int kRows = 6;     ///< of a tile; with kVectors 24 sums of the 32 registers
constexpr int kVectors = 4;  ///< of 16 columns each

/// Rows x 16 Vectors sums over `depth`, times row_scale[i] where there is one.
template <typename T, int Rows, int Vectors>
PETLAB_AVX512 void tile(LeftFactor a, const float* b, std::int64_t b_row, std::int64_t depth, T* c,
                        std::int64_t c_row, const float* row_scale) {
  __m512 sums[std::size_t{Rows}][std::size_t{Vectors}];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j)
      sums[i][j] = _mm512_setzero_ps();
  for (std::int64_t k = 0; k < depth; ++k) {
    __m512 right[std::size_t{Vectors}];
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j)
      right[j] = _mm512_loadu_ps(b + k * b_row + 16 * j);
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      const __m512 left = _mm512_set1_ps(a.values[i * a.row + k * a.column]);
#pragma GCC unroll 8
      for (int j = 0; j < Vectors; ++j)
        sums[i][j] = _mm512_fmadd_ps(left, right[j], sums[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
    const __m512 scale = _mm512_set1_ps(row_scale == nullptr ? 1.0F : row_scale[i]);
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j)
      store_floats(c + i * c_row + 16 * j, _mm512_mul_ps(sums[i][j], scale));
  }
}

template <typename T>
using Tile = void (*)(LeftFactor, const float*, std::int64_t, std::int64_t, T*, std::int64_t,
                      const float*);

template <typename T, int Rows>
constexpr std::array<Tile<T>, kVectors> tiles_of_rows() {
  return {tile<T, Rows, 1>, tile<T, Rows, 2>, tile<T, Rows, 3>, tile<T, Rows, 4>};
}

/// [rows - 1][vectors - 1]
template <typename T>
constexpr std::array<std::array<Tile<T>, kVectors>, kRows> kTiles = {
    tiles_of_rows<T, 1>(), tiles_of_rows<T, 2>(), tiles_of_rows<T, 3>(),
    tiles_of_rows<T, 4>(), tiles_of_rows<T, 5>(), tiles_of_rows<T, 6>()};

}  // namespace small_product

/// c [rows, 16 vectors] = row_scale * (a [rows, depth] b [depth, 16 vectors]); b and c with
/// neighbouring columns and rows b_row and c_row apart; row_scale [rows] or null.
template <typename T>
void multiply(std::int64_t rows, std::int64_t vectors, std::int64_t depth, LeftFactor a,
              const float* b, std::int64_t b_row, T* c, std::int64_t c_row,
              const float* row_scale = nullptr) {
  using small_product::kRows;
  using small_product::kVectors;
  // Panels of columns of nearly equal width, each of which stays in the nearest cache.
  const std::int64_t panels = (vectors + kVectors - 1) / kVectors;
  for (std::int64_t panel = 0; panel < panels; ++panel) {
    const std::int64_t first = vectors * panel / panels;
    const auto wide = static_cast<std::size_t>(vectors * (panel + 1) / panels - first);
    for (std::int64_t i = 0; i < rows; i += kRows) {
      const auto high = static_cast<std::size_t>(rows - i < kRows ? rows - i : kRows);
      small_product::kTiles<T>[high - 1][wide - 1](
          {a.values + i * a.row, a.row, a.column}, b + 16 * first, b_row, depth,
          c + i* c_row + 16 * first, c_row, row_scale == nullptr ? nullptr : row_scale + i);
    }
  }
}

}  // namespace petlab::kernels
