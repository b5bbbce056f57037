#include "kronecker.hpp"

#include "fake_backbone.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace petlab::tests {
namespace {

using plugins::mmap::kronecker;

at::Tensor matrix(std::vector<double> values, std::int64_t rows, std::int64_t columns) {
  return at::tensor(values, at::kDouble).reshape({rows, columns});
}

at::Tensor random(at::IntArrayRef sizes, std::uint64_t seed) {
  at::Generator generator = make_generator(seed);
  return at::normal(0.0, 1.0, sizes, generator, at::TensorOptions(at::kDouble));
}

TEST(Kronecker, EqualsACaseDoneByHand) {
  // [1 2] (x) [0 5; 6 7]: each entry of the first matrix times the whole second one.
  const at::Tensor result = kronecker(matrix({1, 2}, 1, 2), matrix({0, 5, 6, 7}, 2, 2));
  EXPECT_TRUE(result.equal(matrix({0, 5, 0, 10, 6, 7, 12, 14}, 2, 4)));
  // A column times a row: the rank-1 form of MmAP, scales on the left.
  const at::Tensor rank1 = kronecker(matrix({1, 2, 3}, 1, 3), matrix({10, 20}, 2, 1));
  EXPECT_TRUE(rank1.equal(matrix({10, 20, 30, 20, 40, 60}, 2, 3)));
}

TEST(Kronecker, EqualsTheLibrarysOwnPerLayer) {
  const at::Tensor scales = random({3, 2, 5}, 1);
  const at::Tensor source = random({3, 4, 3}, 2);
  const at::Tensor result = kronecker(scales, source);
  ASSERT_EQ(result.sizes(), at::IntArrayRef({3, 8, 15}));
  for (std::int64_t layer = 0; layer < 3; ++layer)
    EXPECT_TRUE(result[layer].equal(at::kron(scales[layer], source[layer])));
}

TEST(Kronecker, SharesOneScalingMatrixAmongLayers) {
  const at::Tensor scales = random({1, 2, 5}, 1);
  const at::Tensor source = random({3, 4, 3}, 2);
  EXPECT_TRUE(kronecker(scales, source).equal(kronecker(scales.expand({3, 2, 5}), source)));
}

TEST(Kronecker, HasTheClosedFormGradients) {
  const std::int64_t r = 2, c = 3, m = 4, n = 5;
  at::Tensor scales = random({r, c}, 1).requires_grad_(true);
  at::Tensor source = random({m, n}, 2).requires_grad_(true);
  const at::Tensor g = random({r * m, c * n}, 3);
  kronecker(scales, source).backward(g);

  at::Tensor expected_scales = at::zeros({r, c}, at::kDouble);
  at::Tensor expected_source = at::zeros({m, n}, at::kDouble);
  for (std::int64_t p = 0; p < r; ++p)
    for (std::int64_t q = 0; q < c; ++q) {
      const at::Tensor block = g.narrow(0, p * m, m).narrow(1, q * n, n);
      expected_scales[p][q] = (block * source.detach()).sum();
      expected_source += block * scales.detach()[p][q];
    }
  EXPECT_TRUE(at::allclose(scales.grad(), expected_scales, 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(source.grad(), expected_source, 1e-12, 1e-12));
}

/// Largest difference between the gradient in `value` and central differences of `loss`.
template <class Loss>
double finite_difference_error(at::Tensor value, const at::Tensor& gradient, const Loss& loss) {
  constexpr double kStep = 1e-6;
  double worst = 0.0;
  at::Tensor flat = value.detach().flatten();  // a view: writing it moves the parameter
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const double at_rest = flat[i].item<double>();
    flat[i] = at_rest + kStep;
    const double above = loss();
    flat[i] = at_rest - kStep;
    const double below = loss();
    flat[i] = at_rest;
    const double expected = (above - below) / (2 * kStep);
    worst = std::max(worst, std::abs(gradient.flatten()[i].item<double>() - expected));
  }
  return worst;
}

TEST(Kronecker, AgreesWithFiniteDifferencesWhenTwoTowersShareTheSource) {
  at::Tensor source = random({2, 4, 2}, 1).requires_grad_(true);
  at::Tensor text_scales = random({2, 2, 3}, 2).requires_grad_(true);
  at::Tensor vision_scales = random({2, 2, 4}, 3).requires_grad_(true);
  const at::Tensor text_weight = random({2, 8, 6}, 4);
  const at::Tensor vision_weight = random({2, 8, 8}, 5);
  const auto loss = [&] {
    return (kronecker(text_scales, source).tanh() * text_weight).sum() +
           (kronecker(vision_scales, source).sin() * vision_weight).sum();
  };
  loss().backward();
  const auto value = [&] { return loss().item<double>(); };
  EXPECT_LT(finite_difference_error(source, source.grad(), value), 1e-7);
  EXPECT_LT(finite_difference_error(text_scales, text_scales.grad(), value), 1e-7);
  EXPECT_LT(finite_difference_error(vision_scales, vision_scales.grad(), value), 1e-7);
}

}  // namespace
}  // namespace petlab::tests
