#include "petlab/reports/statistics.hpp"

#include "petlab/base/error.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace petlab::reports {
namespace {

// Expected values are SciPy's: stats.t.ppf, stats.t.interval with stats.sem.
TEST(Statistics, GivesTheQuantilesOfStudentsT) {
  EXPECT_NEAR(t_quantile_975(1), 12.706204736174694, 1e-9);
  EXPECT_NEAR(t_quantile_975(2), 4.302652729749462, 1e-10);
  EXPECT_NEAR(t_quantile_975(4), 2.7764451051977934, 1e-10);
  EXPECT_NEAR(t_quantile_975(9), 2.262157162798205, 1e-10);
  EXPECT_NEAR(t_quantile_975(30), 2.0422724563012373, 1e-10);
}

TEST(Statistics, GivesTheIntervalOfTheMean) {
  const Estimate three = estimate(std::vector<double>{.52, .55, .5});
  EXPECT_NEAR(three.mean, 0.5233333333333334, 1e-15);
  EXPECT_NEAR(*three.half_width, 0.06251609479375783, 1e-10);
  EXPECT_EQ(three.n, 3);
  const Estimate two = estimate(std::vector<double>{.61, .64});
  EXPECT_NEAR(*two.half_width, 0.19059307104262058, 1e-10);
  const Estimate five = estimate(std::vector<double>{.501, .502, .5035, .499, .5045});
  EXPECT_NEAR(five.mean, 0.502, 1e-15);
  EXPECT_NEAR(*five.half_width, 0.0026702993962313126, 1e-10);
}

TEST(Statistics, GivesNoIntervalForOneValue) {
  const Estimate one = estimate(std::vector<double>{.7});
  EXPECT_EQ(one.mean, .7);
  EXPECT_EQ(one.n, 1);
  EXPECT_FALSE(one.half_width.has_value());
  EXPECT_FALSE(one.excludes_zero());
}

TEST(Statistics, SaysWhetherAnIntervalHoldsZero) {
  EXPECT_TRUE((Estimate{.05, .04, 3}).excludes_zero());
  EXPECT_TRUE((Estimate{-.05, .04, 3}).excludes_zero());
  EXPECT_FALSE((Estimate{.05, .06, 3}).excludes_zero());
  EXPECT_FALSE((Estimate{.0, .0, 3}).excludes_zero());
}

// SciPy: stats.ttest_1samp(values, 0).pvalue
TEST(Statistics, TestsPairsWithStudentsT) {
  EXPECT_NEAR(*paired_t_p(std::vector<double>{.012, .009, .015, .011, .004}), 0.005053310780184883,
              1e-12);
  EXPECT_NEAR(*paired_t_p(std::vector<double>{.02, -.01, .03}), 0.38278660015163235, 1e-12);
  EXPECT_NEAR(*paired_t_p(std::vector<double>{-.01, -.03}), 0.2951672353008665, 1e-12);
}

TEST(Statistics, HasNoTestWithoutASpread) {
  EXPECT_FALSE(paired_t_p(std::vector<double>{.02}).has_value());
  EXPECT_FALSE(paired_t_p(std::vector<double>{.1, .6 - .5, .1}).has_value());
  EXPECT_FALSE(paired_t_p({}).has_value());
}

// SciPy: stats.t.ppf(.975, n - 1) / n**.5
TEST(Statistics, SaysHowFarAnIntervalReaches) {
  EXPECT_NEAR(interval_reach(2), 8.984643532093752, 1e-9);
  EXPECT_NEAR(interval_reach(3), 2.4841377117503303, 1e-9);
  EXPECT_NEAR(interval_reach(5), 1.241663998203764, 1e-9);
}

TEST(Statistics, GivesTheMedian) {
  EXPECT_EQ(median(std::vector<double>{3.0}), 3.0);
  EXPECT_EQ(median(std::vector<double>{9.0, 1.0, 5.0}), 5.0);
  EXPECT_EQ(median(std::vector<double>{4.0, 1.0, 9.0, 2.0}), 3.0);
}

TEST(Statistics, RefusesNoValues) {
  EXPECT_THROW(estimate({}), base::Error);
  EXPECT_THROW(median({}), base::Error);
}

}  // namespace
}  // namespace petlab::reports
