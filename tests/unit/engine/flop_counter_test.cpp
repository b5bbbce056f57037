#include "petlab/engine/flop_counter.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/precision.hpp"
#include "petlab/kernels/linear.hpp"

#include <ATen/ATen.h>
#include <ATen/ThreadLocalState.h>
#include <ATen/ops/_scaled_dot_product_attention_math.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <thread>
#include <tuple>
#include <vector>

namespace petlab::engine {
namespace {

double flops_of(const std::function<void()>& work) {
  double total = -1.0;
  {
    const FlopScope scope(total);
    work();
  }
  return total;
}

at::Tensor some(at::IntArrayRef shape, bool trained = false) {
  return at::ones(shape).requires_grad_(trained);
}

TEST(FlopCounter, CountsProducts) {
  const at::Tensor a = some({3, 5});
  const at::Tensor b = some({5, 7});
  const at::Tensor stack = some({4, 3, 5});
  const at::Tensor vector = some({5});
  const double one = 2 * 3 * 5 * 7;
  EXPECT_EQ(flops_of([&] { at::mm(a, b); }), one);
  EXPECT_EQ(flops_of([&] { at::matmul(a, b); }), one);
  EXPECT_EQ(flops_of([&] { at::addmm(some({7}), a, b); }), one);
  EXPECT_EQ(flops_of([&] { some({3, 7}).addmm_(a, b); }), one);
  EXPECT_EQ(flops_of([&] { at::linear(a, b.t().contiguous()); }), one);
  EXPECT_EQ(flops_of([&] { at::linear(a, b.t().contiguous(), some({7})); }), one);
  EXPECT_EQ(flops_of([&] { at::linear(stack, b.t().contiguous(), some({7})); }), 4 * one);
  EXPECT_EQ(flops_of([&] { at::linear(stack.transpose(0, 1), b.t(), some({7})); }), 4 * one);
  EXPECT_EQ(flops_of([&] { at::matmul(stack, b); }), 4 * one);
  EXPECT_EQ(flops_of([&] { at::bmm(stack, b.expand({4, 5, 7})); }), 4 * one);
  EXPECT_EQ(flops_of([&] { at::baddbmm(some({4, 3, 7}), stack, b.expand({4, 5, 7})); }), 4 * one);
  EXPECT_EQ(flops_of([&] { at::einsum("bij,jk->bik", {stack, b}); }), 4 * one);
  EXPECT_EQ(flops_of([&] { at::mv(a, vector); }), 2 * 3 * 5);
  EXPECT_EQ(flops_of([&] { at::dot(vector, vector); }), 2 * 5);
}

// Whichever way they take.
TEST(FlopCounter, CountsLinearLayersOfTheKernels) {
  for (const std::int64_t size : {3, 64}) {
    const auto layer = [size](bool x, bool weight, bool gelu) {
      return flops_of([&] {
        const at::Tensor input = some({2, size, 40}, x), matrix = some({50, 40}, weight);
        const auto compute = gelu ? kernels::linear_quick_gelu : kernels::linear;
        const at::Tensor y = compute(input, matrix, some({50}));
        if (y.requires_grad()) y.sum().backward();
      });
    };
    const double one = 2.0 * 2 * static_cast<double>(size) * 40 * 50;
    for (const bool gelu : {false, true}) {
      EXPECT_EQ(layer(false, false, gelu), one);
      EXPECT_EQ(layer(true, false, gelu), 2 * one);
      EXPECT_EQ(layer(false, true, gelu), 2 * one);
      EXPECT_EQ(layer(true, true, gelu), 3 * one);
    }
  }
}

TEST(FlopCounter, LeavesElementwiseWorkOut) {
  const at::Tensor x = some({4, 8});
  EXPECT_EQ(flops_of([&] {
              const at::Tensor y = at::layer_norm(at::gelu(x) * 3.0 + x, {8});
              at::softmax(y, 1).sum().sqrt();
              at::embedding(x, at::tensor({0, 3}, at::kLong));
              at::kron(x, x);
            }),
            0.0);
}

TEST(FlopCounter, CountsOfABackwardPassWhatIsNeeded) {
  const double one = 2 * 3 * 5 * 7;
  const auto both = [](bool first, bool second) {
    return flops_of([&] { at::mm(some({3, 5}, first), some({5, 7}, second)).sum().backward(); });
  };
  EXPECT_EQ(both(true, true), 3 * one);
  EXPECT_EQ(both(true, false), 2 * one);
  EXPECT_EQ(both(false, true), 2 * one);
}

TEST(FlopCounter, CountsConvolutions) {
  const at::Tensor images = some({2, 6, 16, 12}, true);
  const at::Tensor kernel = some({9, 6, 4, 3}, true);
  const std::vector<std::int64_t> stride = {4, 2};
  const std::vector<std::int64_t> padding = {0, 1};
  const double one = 2.0 * (9 * 6 * 4 * 3) * 2 * (4 * 6);  // 4 x 6 places an image
  const auto conv = [&](const at::Tensor& weight) {
    return at::conv2d(images, weight, {}, stride, at::IntArrayRef(padding));
  };
  EXPECT_EQ(flops_of([&] { conv(kernel); }), one);
  EXPECT_EQ(flops_of([&] { conv(kernel).sum().backward(); }), 3 * one);
  EXPECT_EQ(flops_of([&] { conv(kernel.detach()).sum().backward(); }), 2 * one);
  // 5 places with a kernel that reaches over 5; 2 groups of 3 channels.
  EXPECT_EQ(flops_of([&] {
              at::conv1d(some({1, 6, 9}), some({4, 3, 3}), {}, 1, at::IntArrayRef({0}),
                         /*dilation=*/2, /*groups=*/2);
            }),
            2.0 * (4 * 3 * 3) * 5);
  EXPECT_EQ(flops_of([&] { at::conv_transpose2d(some({2, 6, 5, 5}), some({6, 4, 2, 2})); }),
            2.0 * (6 * 4 * 2 * 2) * 2 * 25);
}

TEST(FlopCounter, CountsAttention) {
  const at::Tensor q = some({2, 3, 5, 8}, true);
  const at::Tensor k = some({2, 3, 7, 8}, true);
  const at::Tensor v = some({2, 3, 7, 8}, true);
  const double product = 2.0 * (2 * 3) * (5 * 7) * 8;
  const auto fused = [&](const std::optional<at::Tensor>& mask) {
    return at::scaled_dot_product_attention(q, k, v, mask);
  };
  EXPECT_EQ(flops_of([&] { fused({}); }), 2 * product);
  EXPECT_EQ(flops_of([&] { fused(at::zeros({2, 1, 5, 7})); }), 2 * product);
  EXPECT_EQ(flops_of([&] { fused({}).sum().backward(); }), (2 + 5) * product);
  EXPECT_EQ(flops_of([&] { at::_scaled_dot_product_attention_math(q, k, v); }), 2 * product);
  EXPECT_EQ(flops_of([&] {
              std::get<0>(at::_scaled_dot_product_attention_math(q, k, v)).sum().backward();
            }),
            (2 + 4) * product);
  // Pairs that a mask hides count: 7 x 7, not 7 x 8 / 2.
  EXPECT_EQ(
      flops_of([&] { at::scaled_dot_product_attention(k, k, v, {}, 0.0, /*is_causal=*/true); }),
      2 * 2.0 * (2 * 3) * (7 * 7) * 8);
}

TEST(FlopCounter, IsTheSameInInferenceAndInReducedPrecision) {
  const at::Tensor x = some({2, 6, 8});
  const at::Tensor w = some({8, 8}, true);
  const auto work = [&] {
    const at::Tensor y = at::linear(x, w).view({2, 6, 2, 4}).transpose(1, 2);
    const at::Tensor z = at::scaled_dot_product_attention(y, y, y);
    return at::mm(z.reshape({12, 8}), w) + at::bmm(x, w.expand({2, 8, 8})).reshape({12, 8});
  };
  const double expected = 3 * (2.0 * 12 * 8 * 8) + 2 * (2.0 * (2 * 2) * (6 * 6) * 4);
  EXPECT_EQ(flops_of([&] { work(); }), expected);
  const double trained = flops_of([&] { work().sum().backward(); });
  {
    const AutocastScope autocast(at::kCPU, Precision::bf16);
    EXPECT_EQ(flops_of([&] { work(); }), expected);
  }
  EXPECT_EQ(flops_of([&] {
              at::Tensor sum;
              {
                const AutocastScope autocast(at::kCPU, Precision::bf16);
                sum = work().sum();
              }
              sum.backward();
            }),
            trained);
  const c10::InferenceMode inference;
  EXPECT_EQ(flops_of([&] { work(); }), expected);
}

TEST(FlopCounter, CountsItsOwnThreadInItsScopeOnly) {
  const at::Tensor a = some({4, 4});
  at::mm(a, a);
  EXPECT_EQ(flops_of([&] {
              std::thread([&] { at::mm(a, a); }).join();
              const FlopPause pause;
              at::mm(a, a);
            }),
            0.0);
  EXPECT_EQ(flops_of([&] {
              {
                const FlopPause pause;
              }
              at::mm(a, a);
            }),
            2 * 4 * 4 * 4);
  // As autograd does it for a device: the backward pass runs on a thread with the caller's state.
  EXPECT_EQ(flops_of([&] {
              const at::ThreadLocalState state;
              std::thread([&] {
                const at::ThreadLocalStateGuard guard(state);
                at::mm(a, a);
              }).join();
            }),
            2 * 4 * 4 * 4);
  double outer = 0.0;
  const FlopScope scope(outer);
  EXPECT_THROW(flops_of([] {}), base::Error);
}

}  // namespace
}  // namespace petlab::engine
