#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cstdint>

namespace petlab::kernels::test {

/// Seeded noise.
inline at::Tensor drawn(at::IntArrayRef sizes, std::uint64_t seed, double mean = 0,
                        double standard_deviation = 1) {
  return at::empty(sizes).normal_(mean, standard_deviation,
                                  at::make_generator<at::CPUGeneratorImpl>(seed));
}

/// Largest absolute difference, of which no gradient is taken.
inline double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

}  // namespace petlab::kernels::test
