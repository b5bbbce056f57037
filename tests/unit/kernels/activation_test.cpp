#include "petlab/kernels/activation.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

namespace petlab::kernels {
namespace {

at::Tensor drawn(at::IntArrayRef sizes, std::uint64_t seed) {
  return at::empty(sizes).normal_(0, 3, at::make_generator<at::CPUGeneratorImpl>(seed));
}

TEST(QuickGelu, IsTheFormulaAndItsDerivative) {
  const at::Tensor x = drawn({7, 33}, 1).requires_grad_();
  const at::Tensor upstream = drawn({7, 33}, 2);
  const at::Tensor y = quick_gelu(x);
  y.backward(upstream);
  const at::Tensor wide = x.detach().to(at::kDouble);
  const at::Tensor gate = at::sigmoid(wide * 1.702);
  EXPECT_LE((y - wide * gate).abs().max().item<double>(), 1e-6);
  const at::Tensor slope = gate * (1 + 1.702 * wide * (1 - gate));
  EXPECT_LE((x.grad() - slope * upstream).abs().max().item<double>(), 4e-6);
}

}  // namespace
}  // namespace petlab::kernels
