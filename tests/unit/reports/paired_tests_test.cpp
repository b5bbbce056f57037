#include "petlab/reports/paired_tests.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace petlab::reports {
namespace {

// SciPy 1.17: stats.binomtest(b, b + c, .5).pvalue
TEST(Mcnemar, IsTheExactBinomialTestOfTheDisagreements) {
  EXPECT_NEAR(mcnemar_p(12, 3), 0.03515625, 1e-12);
  EXPECT_NEAR(mcnemar_p(3, 12), 0.03515625, 1e-12);
  EXPECT_NEAR(mcnemar_p(5, 0), 0.0625, 1e-12);
  EXPECT_NEAR(mcnemar_p(40, 62), 0.037066767438560584, 1e-12);
  EXPECT_NEAR(mcnemar_p(300, 241), 0.012573476916938886, 1e-12);
}

TEST(Mcnemar, IsOneWhereNothingSpeaksForEither) {
  EXPECT_EQ(mcnemar_p(0, 0), 1.0);
  EXPECT_EQ(mcnemar_p(7, 7), 1.0);
  EXPECT_EQ(mcnemar_p(1, 0), 1.0);
}

TEST(ClusteredMcnemar, IsMcnemarsTestWithOneSeed) {
  std::vector<int> images(15, 1);
  images.insert(images.end(), 50, 0);
  std::fill(images.begin(), images.begin() + 3, -1);
  EXPECT_NEAR(clustered_mcnemar_p(images), mcnemar_p(12, 3), 1e-12);
  EXPECT_EQ(clustered_mcnemar_p(std::vector<int>{1, -1, 0}), 1.0);
  EXPECT_EQ(clustered_mcnemar_p({}), 1.0);
  EXPECT_EQ(clustered_mcnemar_p(std::vector<int>{0, 0}), 1.0);
}

// All 2^n sign patterns counted one by one (Python: itertools.product([1, -1], repeat=n), the share
// with abs(sum) >= abs(sum(d))). SciPy 1.17 gives the same: stats.permutation_test((d,), np.sum,
// permutation_type="samples", n_resamples=np.inf).pvalue
TEST(ClusteredMcnemar, FlipsTheAnswersToAnImageTogether) {
  EXPECT_NEAR(clustered_mcnemar_p(std::vector<int>{3, 3, -1, 2, 1, 0, 3, -2, 1, 1, 0, 3}),
              0.056640625, 1e-12);
  EXPECT_NEAR(clustered_mcnemar_p(std::vector<int>{-5, -4, 3, -5, -1, 2, -3, -3}), 0.1328125,
              1e-12);
}

TEST(ClusteredMcnemar, GoesOverIntoTheNormalApproximationSmoothly) {
  // Sums of 19,995 and 20,010 with the same proportions.
  std::vector<int> exact, approximate;
  for (int i = 0; i < 3999; ++i)
    exact.push_back(i < 2070 ? 5 : -5);
  for (int i = 0; i < 4002; ++i)
    approximate.push_back(i < 2071 ? 5 : -5);
  EXPECT_NEAR(clustered_mcnemar_p(exact), clustered_mcnemar_p(approximate), 0.003);
  EXPECT_LT(clustered_mcnemar_p(exact), 0.05);
}

// SciPy 1.17: stats.wilcoxon(d, method="exact")
TEST(SignedRanks, AreExactForFewDifferences) {
  const auto eight =
      signed_ranks(std::vector<double>{1.5, -.7, 2.25, 3.1, .4, 4.2, -.9, 5.5}).value();
  EXPECT_EQ(eight.n, 8);
  EXPECT_TRUE(eight.exact);
  EXPECT_EQ(eight.negative, 5.0);
  EXPECT_EQ(eight.positive, 31.0);
  EXPECT_NEAR(eight.p, 0.078125, 1e-15);
  EXPECT_NEAR(signed_ranks(std::vector<double>{1, 2, 3, 4, 5})->p, 0.0625, 1e-15);
  EXPECT_NEAR(signed_ranks(std::vector<double>{-1, -2, -3, -4, -5})->p, 0.0625, 1e-15);
}

// SciPy 1.17: stats.wilcoxon(d, zero_method="wilcox",
//                            method=stats.PermutationMethod(n_resamples=np.inf))
TEST(SignedRanks, AreExactWithTiesAndZeros) {
  const auto ties = signed_ranks(std::vector<double>{1, 1, 2, 2, 2, -1, 3, 0, 0, -2, 4, 4}).value();
  EXPECT_EQ(ties.n, 10);
  EXPECT_EQ(ties.zeros, 2);
  EXPECT_EQ(ties.negative, 7.5);
  EXPECT_NEAR(ties.p, 0.046875, 1e-15);
  EXPECT_NEAR(signed_ranks(std::vector<double>{.5, .5, .5, -.5, .5, .5})->p, 0.21875, 1e-15);
}

TEST(SignedRanks, CountDifferencesThatRoundingTellsApartAsEqual) {
  const auto rounded = signed_ranks(std::vector<double>{.1, .6 - .5, .3 - .2, -.1, .1, .7 - .6});
  EXPECT_EQ(rounded->negative, 3.5);
  EXPECT_NEAR(rounded->p, 0.21875, 1e-15);
  EXPECT_EQ(signed_ranks(std::vector<double>{.3 - .2 - .1, .25})->zeros, 1);
}

// SciPy 1.17: stats.wilcoxon([((7*i) % 61 - 22) / 4 for i in range(60)], zero_method="wilcox",
//                            method="asymptotic")
TEST(SignedRanks, UseTheNormalApproximationBeyondFifty) {
  std::vector<double> many;
  for (int i = 0; i < 60; ++i)
    many.push_back(((7 * i) % 61 - 22) / 4.0);
  const auto result = signed_ranks(many).value();
  EXPECT_EQ(result.n, 59);
  EXPECT_EQ(result.zeros, 1);
  EXPECT_FALSE(result.exact);
  EXPECT_EQ(result.negative, 495.0);
  EXPECT_NEAR(result.p, 0.00324061501442107, 1e-12);
}

TEST(SignedRanks, AreAbsentWithoutADifference) {
  EXPECT_FALSE(signed_ranks(std::vector<double>{0, 0, 0}).has_value());
  EXPECT_FALSE(signed_ranks({}).has_value());
}

TEST(SignedRanks, KnowTheSmallestProbabilityTheyCanReach) {
  EXPECT_EQ(smallest_signed_rank_p(5), 0.0625);
  EXPECT_EQ(smallest_signed_rank_p(6), 0.03125);
  EXPECT_EQ(signed_ranks(std::vector<double>{1, 2, 3, 4, 5, 6})->p, 0.03125);
}

// statsmodels 0.15: multipletests(p, method="holm")[1]; R's p.adjust(p, "holm") gives the same.
TEST(Holm, CorrectsAFamilyInTheOrderGiven) {
  const auto five = holm(std::vector<double>{.01, .04, .03, .005, .2});
  const std::vector<double> expected = {.04, .09, .09, .025, .2};
  ASSERT_EQ(five.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(five[i], expected[i], 1e-15);
  const auto four = holm(std::vector<double>{.3, .02, .5, .02});
  EXPECT_NEAR(four[0], .6, 1e-15);
  EXPECT_NEAR(four[1], .08, 1e-15);
  EXPECT_NEAR(four[2], .6, 1e-15);
  EXPECT_NEAR(four[3], .08, 1e-15);
  EXPECT_EQ(holm(std::vector<double>{.7, .9}), (std::vector<double>{1.0, 1.0}));
  EXPECT_TRUE(holm({}).empty());
}

}  // namespace
}  // namespace petlab::reports
