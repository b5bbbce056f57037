#include "petlab/kernels/linear.hpp"

#include "petlab/kernels/activation.hpp"

#include <ATen/ATen.h>

#include <optional>

namespace petlab::kernels {

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

at::Tensor linear_quick_gelu(const at::Tensor& x, const at::Tensor& weight,
                             const at::Tensor& bias) {
  return quick_gelu(linear(x, weight, bias));
}

}  // namespace petlab::kernels
