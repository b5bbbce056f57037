#include "petlab/pretrain/losses.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace petlab::pretrain {
namespace {

TEST(TableLoss, PassesOverPicturesWithoutARow) {
  const at::Tensor logits = at::tensor({2.0F, 0.0F, 5.0F, 1.0F}).view({2, 2});
  const double loss = table_loss(logits, at::tensor({0, -1}, at::kLong), 0.0).item<double>();
  EXPECT_NEAR(loss, std::log1p(std::exp(-2.0)), 1e-6);
  EXPECT_EQ(table_loss(logits, at::tensor({-1, -1}, at::kLong), 0.0).item<double>(), 0.0);
}

TEST(ContrastiveLoss, TakesTrueTextsOfOtherPairsOut) {
  const at::Tensor logits =
      at::tensor({1.0F, 9.0F, 0.0F, 9.0F, 1.0F, 0.0F, 0.0F, 0.0F, 1.0F}).view({3, 3});
  const at::Tensor subjects = at::tensor({4, 4, 7}, at::kLong);
  const at::Tensor styles = at::tensor({0, 0, 0}, at::kLong);
  const at::Tensor unnamed = at::tensor({-1, -1, -1}, at::kLong);
  const at::Tensor pairs = true_pairs(subjects, styles, unnamed);
  // Each row and column is left with its own logit 1 and, at most, zeros.
  const double pair = std::log1p(std::exp(-1.0));
  const double three = std::log(std::exp(1.0) + 2.0) - 1.0;
  EXPECT_NEAR(contrastive_loss(logits, pairs).item<double>(), (2 * pair + three) / 3, 1e-5);
}

TEST(TruePairs, DependOnTheStyleOnlyWhereItIsNamed) {
  const at::Tensor pairs = true_pairs(at::tensor({4, 4}, at::kLong), at::tensor({0, 1}, at::kLong),
                                      at::tensor({0, -1}, at::kLong));
  const at::Tensor expected = at::tensor({1, 1, 0, 1}, at::kLong).view({2, 2}).to(at::kBool);
  EXPECT_TRUE(pairs.equal(expected));
}

}  // namespace
}  // namespace petlab::pretrain
