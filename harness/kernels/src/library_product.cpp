#include "library_product.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>

#include <cstdint>

namespace petlab::kernels {
namespace {

/// Pieces of the result: rows times columns of them.
struct Grid {
  std::int64_t rows = 1;
  std::int64_t columns = 1;
};

// Multiplications that outweigh what a call costs.
constexpr std::int64_t kMinWork = 1 << 20;

/// Enough pieces to feed the threads, none too small. LibTorch copies both factors of each: square
/// pieces need the least of that.
Grid grid_of(std::int64_t m, std::int64_t n, std::int64_t k) {
  std::int64_t pieces = 1;
  // 24 are even shares for 2, 3, 4, 6, 8 and 12 threads.
  for (const std::int64_t candidate : {2, 3, 4, 6, 8, 12, 24})
    if (m * n * k / candidate >= kMinWork) pieces = candidate;
  Grid best;
  double least = -1.0;
  for (std::int64_t rows = 1; rows <= pieces; ++rows) {
    const std::int64_t columns = pieces / rows;
    if (rows * columns != pieces || rows > m || columns * 16 > n) continue;
    const double copied = static_cast<double>(rows) / static_cast<double>(m) +
                          static_cast<double>(columns) / static_cast<double>(n);
    if (least >= 0.0 && copied >= least) continue;
    least = copied;
    best = {rows, columns};
  }
  return best;
}

void multiply(at::Tensor out, const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias) {
  if (bias.defined())
    at::addmm_out(out, bias, a, b);
  else
    at::mm_out(out, a, b);
}

}  // namespace

at::Tensor library_product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias) {
  const std::int64_t m = a.size(0), n = b.size(1);
  if (!a.is_cpu() || a.scalar_type() != at::kFloat || b.scalar_type() != at::kFloat)
    return bias.defined() ? at::addmm(bias, a, b) : at::mm(a, b);
  const at::AutoDispatchBelowADInplaceOrView without_autograd;
  at::Tensor out = at::empty({m, n}, a.options());
  const Grid grid = grid_of(m, n, a.size(1));
  // Columns of a piece begin at a whole vector.
  const auto column = [&](std::int64_t i) {
    return i == grid.columns ? n : n * i / grid.columns / 16 * 16;
  };
  at::parallel_for(0, grid.rows * grid.columns, /*grain_size=*/1,
                   [&](std::int64_t begin, std::int64_t end) {
                     const at::AutoDispatchBelowADInplaceOrView here_too;
                     for (std::int64_t piece = begin; piece < end; ++piece) {
                       const std::int64_t r = piece / grid.columns, c = piece % grid.columns;
                       const std::int64_t top = m * r / grid.rows;
                       const std::int64_t rows = m * (r + 1) / grid.rows - top;
                       const std::int64_t left = column(c), columns = column(c + 1) - left;
                       multiply(out.narrow(0, top, rows).narrow(1, left, columns),
                                a.narrow(0, top, rows), b.narrow(1, left, columns),
                                bias.defined() ? bias.narrow(0, left, columns) : bias);
                     }
                   });
  return out;
}

}  // namespace petlab::kernels
