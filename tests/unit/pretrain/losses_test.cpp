#include "petlab/pretrain/losses.hpp"

#include "petlab/pretrain/facts.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace petlab::pretrain {
namespace {

at::Tensor numbers(const std::vector<std::int64_t>& values) {
  return at::tensor(values, at::kLong);
}

at::Tensor unlike(std::int64_t rows, std::int64_t columns) {
  return at::zeros({rows, columns}, at::kBool);
}

TEST(TableLoss, PassesOverPicturesWithoutARow) {
  const at::Tensor logits = at::tensor({2.0F, 0.0F, 5.0F, 1.0F}).view({2, 2});
  const double loss = table_loss(logits, numbers({0, -1}), 0.0).item<double>();
  EXPECT_NEAR(loss, std::log1p(std::exp(-2.0)), 1e-6);
  EXPECT_EQ(table_loss(logits, numbers({-1, -1}), 0.0).item<double>(), 0.0);
}

TEST(SoftmaxContrast, TakesTrueTextsOfOtherPairsOut) {
  const at::Tensor logits =
      at::tensor({1.0F, 9.0F, 0.0F, 9.0F, 1.0F, 0.0F, 0.0F, 0.0F, 1.0F}).view({3, 3});
  at::Tensor also_true = unlike(3, 3);
  also_true[0][1] = true;
  also_true[1][0] = true;
  // Each row is left with its own logit 1 and, at most, zeros.
  const double pair = std::log1p(std::exp(-1.0));
  const double three = std::log(std::exp(1.0) + 2.0) - 1.0;
  EXPECT_NEAR(softmax_contrast(logits, also_true).item<double>(), (2 * pair + three) / 3, 1e-5);
}

TEST(SoftmaxContrast, CountsTheColumnsOfAQueueAsNegatives) {
  const at::Tensor logits = at::tensor({1.0F, 0.0F, 0.0F, 5.0F}).view({1, 4});
  at::Tensor also_true = unlike(1, 4);
  also_true[0][3] = true;  // the queue holds the same caption
  EXPECT_NEAR(softmax_contrast(logits, also_true).item<double>(),
              std::log(std::exp(1.0) + 2.0) - 1.0, 1e-5);
}

TEST(SigmoidContrast, DecidesEachPairByItself) {
  const at::Tensor logits = at::tensor({2.0F, -1.0F, 7.0F, 0.5F, 3.0F, 0.0F}).view({2, 3});
  at::Tensor also_true = unlike(2, 3);
  also_true[0][2] = true;
  const auto right = [](double x) { return std::log1p(std::exp(-x)); };
  const double expected = (right(2.0) + right(1.0) + right(-0.5) + right(3.0) + right(-0.0)) / 2.0;
  EXPECT_NEAR(sigmoid_contrast(logits, also_true).item<double>(), expected, 1e-5);
}

TEST(TruePairs, AreOfOneSubjectAndClaimOnlyWhatThePictureHas) {
  const auto outline = static_cast<std::int64_t>(fact::of(Style::outline));
  const auto red = static_cast<std::int64_t>(fact::of(Colour::red));
  const PairFacts facts{.subjects = numbers({4, 4, 7}),
                        .bits = numbers({outline, outline | red, outline}),
                        .sets = numbers({1, 2, 1}),
                        .claims = numbers({outline, red, 0}),
                        .claimed_sets = numbers({-1, -1, 1})};
  const at::Tensor expected =
      at::tensor({1, 0, 0, 1, 1, 0, 0, 0, 1}, at::kLong).view({3, 3}).to(at::kBool);
  EXPECT_TRUE(true_pairs(facts, facts).equal(expected));
  PairFacts named = facts;
  named.claimed_sets = numbers({1, -1, -1});
  EXPECT_FALSE(true_pairs(facts, named)[1][0].item<bool>());  // picture 1 is of set 2
  EXPECT_TRUE(true_pairs(facts, named)[0][0].item<bool>());
  EXPECT_TRUE(true_pairs(facts.narrow(1, 2), facts).equal(expected.narrow(0, 1, 2)));
}

TEST(FactLoss, CountsKnownFactsOnly) {
  const at::Tensor logits = at::tensor({2.0F, -3.0F, 9.0F}).view({1, 3});
  const at::Tensor targets = at::tensor({1.0F, 0.0F, 0.0F}).view({1, 3});
  const at::Tensor known = at::tensor({1, 1, 0}, at::kLong).view({1, 3}).to(at::kBool);
  const double expected = (std::log1p(std::exp(-2.0)) + std::log1p(std::exp(-3.0))) / 2;
  EXPECT_NEAR(fact_loss(logits, targets, known).item<double>(), expected, 1e-6);
  EXPECT_EQ(fact_loss(logits, targets, at::zeros_like(known)).item<double>(), 0.0);
}

}  // namespace
}  // namespace petlab::pretrain
