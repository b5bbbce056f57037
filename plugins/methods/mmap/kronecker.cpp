#include "kronecker.hpp"

#include <ATen/TensorOperators.h>

namespace petlab::plugins::mmap {

at::Tensor kronecker(const at::Tensor& scales, const at::Tensor& source) {
  const at::Tensor outer =
      scales.unsqueeze(-1).unsqueeze(-3) * source.unsqueeze(-2).unsqueeze(-4);  // [..., r, m, c, n]
  return outer.flatten(-2, -1).flatten(-3, -2);
}

}  // namespace petlab::plugins::mmap
