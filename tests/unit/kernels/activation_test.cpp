#include "petlab/kernels/activation.hpp"

#include "tensors.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <limits>

namespace petlab::kernels {
namespace {

at::Tensor activations(at::IntArrayRef sizes, std::uint64_t seed) {
  return test::drawn(sizes, seed, /*mean=*/0, /*standard_deviation=*/3);
}

// Sizes that are no multiple of a vector, and more than one thread's share.
class QuickGelu : public ::testing::TestWithParam<std::int64_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, QuickGelu, ::testing::Values(1, 15, 16, 231, 100'003));

TEST_P(QuickGelu, IsTheFormulaAndItsDerivative) {
  const at::Tensor x = activations({GetParam()}, 1).requires_grad_();
  const at::Tensor upstream = activations({GetParam()}, 2);
  const at::Tensor y = quick_gelu(x);
  y.backward(upstream);
  const at::Tensor wide = x.detach().to(at::kDouble);
  const at::Tensor gate = at::sigmoid(wide * 1.702);
  EXPECT_LE((y - wide * gate).abs().max().item<double>(), 2e-6);
  const at::Tensor slope = gate * (1 + 1.702 * wide * (1 - gate));
  const at::Tensor error = (x.grad() - slope * upstream).abs();
  EXPECT_TRUE(error.le((1 + upstream.abs()) * 1e-6).all().item<bool>());
}

TEST_P(QuickGelu, InBfloat16IsTheRoundedFormula) {
  const at::Tensor x = activations({GetParam()}, 3).to(at::kBFloat16).requires_grad_();
  const at::Tensor upstream = activations({GetParam()}, 4).to(at::kBFloat16);
  const at::Tensor y = quick_gelu(x);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  y.backward(upstream);
  const at::Tensor wide = x.detach().to(at::kDouble);
  const at::Tensor gate = at::sigmoid(wide * 1.702);
  const at::Tensor slope = gate * (1 + 1.702 * wide * (1 - gate)) * upstream.to(at::kDouble);
  // Half a unit in the last of eight places.
  const auto rounds_to = [](const at::Tensor& got, const at::Tensor& exact) {
    return (got.to(at::kDouble) - exact).abs().le(exact.abs() / 255 + 1e-6).all().item<bool>();
  };
  EXPECT_TRUE(rounds_to(y.detach(), wide * gate));
  EXPECT_TRUE(rounds_to(x.grad(), slope));
}

TEST_P(QuickGelu, IsTheSameWithAnyNumberOfThreadsAndWithoutGradients) {
  const at::Tensor x = activations({GetParam()}, 5).requires_grad_();
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = quick_gelu(x);
  one.sum().backward();
  const at::Tensor gradient = x.grad();
  x.mutable_grad().reset();
  at::set_num_threads(3);
  const at::Tensor three = quick_gelu(x);
  three.sum().backward();
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(one, three));
  EXPECT_TRUE(at::equal(gradient, x.grad()));
  const c10::InferenceMode inference;
  EXPECT_TRUE(at::equal(quick_gelu(x.detach()), one));
}

TEST(QuickGeluValues, FarOutIsZeroOrTheIdentity) {
  const at::Tensor x = at::tensor({-1e30F, -200.0F, 0.0F, 200.0F, 1e30F});
  const at::Tensor y = quick_gelu(x);
  EXPECT_LE((y - at::relu(x)).abs().max().item<double>(), 1e-4);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(quick_gelu(at::full({20}, nan)).isnan().all().item<bool>());
}

TEST(QuickGeluValues, OfATransposedTensorIsTheTransposed) {
  const at::Tensor x = activations({7, 33}, 6);
  EXPECT_TRUE(at::equal(quick_gelu(x.t()), quick_gelu(x).t()));
}

}  // namespace
}  // namespace petlab::kernels
