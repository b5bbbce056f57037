#include "train/gradient_clipping.hpp"

#include "tiny_bench.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

namespace petlab::engine {
namespace {

using testing::Bench;

TEST(GradientClipping, ScalesAListToItsLongestGradient) {
  at::Tensor a = at::zeros({2}).requires_grad_();
  at::Tensor b = at::zeros({1}).requires_grad_();
  at::Tensor other = at::zeros({1}).requires_grad_();
  at::Tensor untouched = at::zeros({1}).requires_grad_();
  a.mutable_grad() = at::tensor({2.0F, 3.0F});
  b.mutable_grad() = at::tensor({6.0F});      // the norm of both is 7
  other.mutable_grad() = at::tensor({0.5F});  // short enough
  clip_gradients({{a, b, untouched}, {other}}, 3.5);
  EXPECT_TRUE(at::allclose(a.grad(), at::tensor({1.0F, 1.5F}), 1e-5));
  EXPECT_TRUE(at::allclose(b.grad(), at::tensor({3.0F}), 1e-5));
  EXPECT_EQ(other.grad().item<float>(), 0.5F);
  EXPECT_FALSE(untouched.grad().defined());
}

TEST(GradientClipping, TasksThatShareNothingAreClippedApart) {
  const auto lists = [](Sharing sharing) {
    const Bench bench(testing::both_prompts(), sharing, {{0, 2}, {1}});
    const auto found = connected_parameters(bench.adapters);
    std::size_t tensors = 0;
    std::set<const void*> distinct;
    for (const auto& list : found)
      for (const at::Tensor& one : list) {
        ++tensors;
        distinct.insert(one.unsafeGetTensorImpl());
      }
    EXPECT_EQ(tensors, bench.adapters.trainable().size());
    EXPECT_EQ(distinct.size(), tensors);
    return found.size();
  };
  EXPECT_EQ(lists(Sharing::per_task), 3U);
  EXPECT_EQ(lists(Sharing::joint), 1U);
  EXPECT_EQ(lists(Sharing::grouped), 2U);
  EXPECT_EQ(lists(Sharing::grouped_specific), 2U);
  EXPECT_EQ(lists(Sharing::joint_specific), 1U);
}

}  // namespace
}  // namespace petlab::engine
