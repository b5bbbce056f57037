// Products of matrices that lie in the nearer caches, as attention needs them, for sources that are
// compiled once for each instruction set; see vectors-inl.hpp.

#if defined(PETLAB_KERNELS_SMALL_PRODUCT_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef PETLAB_KERNELS_SMALL_PRODUCT_INL_HPP
#undef PETLAB_KERNELS_SMALL_PRODUCT_INL_HPP
#else
#define PETLAB_KERNELS_SMALL_PRODUCT_INL_HPP
#endif

#include "vectors-inl.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace petlab::kernels {
namespace HWY_NAMESPACE {

/// The left factor: element (i, k) stands at values[i * row + k * column], so that a transposed
/// matrix needs no copy.
struct LeftFactor {
  const float* values;
  std::int64_t row;
  std::int64_t column;
};

// A tile's sums and one row of the right factor fit into the registers: 32 with AVX-512, else 16.
#if HWY_MAX_BYTES >= 64
constexpr int kTileRows = 6;
constexpr int kTileVectors = 4;
#elif HWY_MAX_BYTES >= 32
constexpr int kTileRows = 6;
constexpr int kTileVectors = 1;
#else
constexpr int kTileRows = 2;
constexpr int kTileVectors = 1;
#endif

/// Rows x 16 Vectors sums over `depth`, times row_scale[i] where there is one; added to c where
/// kAdd.
template <typename T, bool kAdd, int Rows, int Vectors>
void tile(LeftFactor a, const float* b, std::int64_t b_row, std::int64_t depth, T* c,
          std::int64_t c_row, const float* row_scale) {
  Vector sums[std::size_t{Rows}][std::size_t{Vectors}];
  HWY_UNROLL(8)
  for (int i = 0; i < Rows; ++i)
    HWY_UNROLL(8)
  for (int j = 0; j < Vectors; ++j)
    sums[i][j] = zeros();
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector right[std::size_t{Vectors}];
    HWY_UNROLL(8)
    for (int j = 0; j < Vectors; ++j)
      right[j] = load(b + k * b_row + kWidth * j);
    HWY_UNROLL(8)
    for (int i = 0; i < Rows; ++i) {
      const Vector left = broadcast(a.values[i * a.row + k * a.column]);
      HWY_UNROLL(8)
      for (int j = 0; j < Vectors; ++j)
        sums[i][j] = multiply_add(left, right[j], sums[i][j]);
    }
  }
  HWY_UNROLL(8)
  for (int i = 0; i < Rows; ++i) {
    const Vector scale = broadcast(row_scale == nullptr ? 1.0F : row_scale[i]);
    HWY_UNROLL(8)
    for (int j = 0; j < Vectors; ++j) {
      T* to = c + i * c_row + kWidth * j;
      Vector sum = sums[i][j] * scale;
      if constexpr (kAdd) sum = load(to) + sum;
      store(sum, to);
    }
  }
}

template <typename T>
using Tile = void (*)(LeftFactor, const float*, std::int64_t, std::int64_t, T*, std::int64_t,
                      const float*);

/// [rows - 1][vectors - 1]
template <typename T>
using Tiles = std::array<std::array<Tile<T>, kTileVectors>, kTileRows>;

template <typename T, bool kAdd>
constexpr Tiles<T> tiles() {
  const auto of_rows = []<int Rows>(std::integral_constant<int, Rows>) {
    return []<int... I>(std::integer_sequence<int, I...>) {
      return std::array<Tile<T>, kTileVectors>{tile<T, kAdd, Rows, I + 1>...};
    }(std::make_integer_sequence<int, kTileVectors>());
  };
  return [&]<int... I>(std::integer_sequence<int, I...>) {
    return Tiles<T>{of_rows(std::integral_constant<int, I + 1>())...};
  }(std::make_integer_sequence<int, kTileRows>());
}

template <typename T, bool kAdd>
constexpr Tiles<T> kTiles = tiles<T, kAdd>();

/// c [rows, 16 vectors] = row_scale * (a [rows, depth] b [depth, 16 vectors]), added to c where
/// kAdd; b and c with neighbouring columns and rows b_row and c_row apart; row_scale [rows] or
/// null. Sums are added up in the order of depth.
template <bool kAdd = false, typename T>
void multiply(std::int64_t rows, std::int64_t vectors, std::int64_t depth, LeftFactor a,
              const float* b, std::int64_t b_row, T* c, std::int64_t c_row,
              const float* row_scale = nullptr) {
  // Panels of columns of nearly equal width, each of which stays in the nearest cache.
  const std::int64_t panels = (vectors + kTileVectors - 1) / kTileVectors;
  for (std::int64_t panel = 0; panel < panels; ++panel) {
    const std::int64_t first = vectors * panel / panels;
    const auto wide = static_cast<std::size_t>(vectors * (panel + 1) / panels - first);
    for (std::int64_t i = 0; i < rows; i += kTileRows) {
      const auto high = static_cast<std::size_t>(HWY_MIN(rows - i, std::int64_t{kTileRows}));
      kTiles<T, kAdd>[high - 1][wide - 1](
          {a.values + i * a.row, a.row, a.column}, b + kWidth* first, b_row, depth,
          c + i* c_row + kWidth* first, c_row, row_scale == nullptr ? nullptr : row_scale + i);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace petlab::kernels
HWY_AFTER_NAMESPACE();

#endif
