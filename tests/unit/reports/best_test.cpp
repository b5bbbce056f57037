#include "petlab/reports/best.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace petlab::reports {
namespace {

std::vector<std::map<std::uint64_t, double>> scores_of(
    const std::vector<std::vector<double>>& rows) {
  std::vector<std::map<std::uint64_t, double>> scores;
  for (const std::vector<double>& row : rows) {
    scores.emplace_back();
    for (std::size_t seed = 0; seed < row.size(); ++seed)
      scores.back().emplace(seed + 1, row[seed]);
  }
  return scores;
}

// Differences 0.1, 0.2, 0.3: mean 0.2, standard deviation 0.1, and the 95 % point of t with two
// degrees of freedom is 0.9 / sqrt(2 * 0.95 * 0.05), its closed form.
TEST(Best, TwoRowsByHand) {
  const auto found = compare_with_best(scores_of({{0.6, 0.8, 0.9}, {0.5, 0.6, 0.6}}));
  const double reach = 0.9 / std::sqrt(2.0 * 0.95 * 0.05) * 0.1 / std::sqrt(3.0);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0].may_be_best);
  EXPECT_NEAR(*found[0].difference, 0.2, 1e-12);
  EXPECT_EQ(*found[0].low, 0.0);  // alone: it is the best
  EXPECT_NEAR(*found[0].high, 0.2 + reach, 1e-12);
  EXPECT_FALSE(found[1].may_be_best);
  EXPECT_NEAR(*found[1].difference, -0.2, 1e-12);
  EXPECT_NEAR(*found[1].low, -0.2 - reach, 1e-12);
  EXPECT_EQ(*found[1].high, 0.0);
}

// SciPy 1.17: t.ppf(1 - 0.05 / 3, 4) * std(ddof=1) / sqrt(5) of each pair, ends as in the header.
TEST(Best, FourRowsAsInSciPy) {
  const auto found = compare_with_best(scores_of({{.70, .72, .71, .74, .73},
                                                  {.69, .73, .70, .72, .74},
                                                  {.60, .63, .60, .64, .62},
                                                  {.695, .70, .705, .715, .70}}));
  ASSERT_EQ(found.size(), 4U);
  EXPECT_TRUE(found[0].may_be_best);
  EXPECT_TRUE(found[1].may_be_best);
  EXPECT_FALSE(found[2].may_be_best);
  EXPECT_FALSE(found[3].may_be_best);
  EXPECT_NEAR(*found[0].difference, 0.004, 1e-12);
  EXPECT_NEAR(*found[0].low, -0.015117893273358118, 1e-9);
  EXPECT_NEAR(*found[0].high, 0.023117893273358125, 1e-9);
  EXPECT_NEAR(*found[1].low, -0.023117893273358125, 1e-9);
  EXPECT_NEAR(*found[1].high, 0.015117893273358118, 1e-9);
  EXPECT_NEAR(*found[2].difference, -0.102, 1e-12);
  EXPECT_NEAR(*found[2].low, -0.11913562625659607, 1e-9);
  EXPECT_EQ(*found[2].high, 0.0);
  EXPECT_NEAR(*found[3].low, -0.04263444759706542, 1e-9);
}

TEST(Best, NothingIsKnownWithoutASpreadOrWithoutSharedSeeds) {
  const auto steady = compare_with_best(scores_of({{0.6, 0.7, 0.8}, {0.5, 0.6, 0.7}}));
  EXPECT_TRUE(steady[1].may_be_best);
  EXPECT_NEAR(*steady[1].difference, -0.1, 1e-12);
  EXPECT_FALSE(steady[1].low.has_value());
  EXPECT_FALSE(steady[1].high.has_value());
  const auto apart = compare_with_best({{{1, 0.5}, {2, 0.6}}, {{3, 0.1}, {4, 0.2}}});
  EXPECT_FALSE(apart[0].difference.has_value());
  EXPECT_TRUE(apart[1].may_be_best);
  EXPECT_TRUE(compare_with_best(scores_of({{0.6, 0.7, 0.8}})).empty());
  EXPECT_TRUE(compare_with_best({}).empty());
}

TEST(Best, APairWithoutASpreadLeavesTheOthersTheirVerdict) {
  const auto found =
      compare_with_best(scores_of({{0.6, 0.7, 0.8}, {0.5, 0.6, 0.7}, {0.1, 0.21, 0.3}}));
  EXPECT_TRUE(found[1].may_be_best);
  EXPECT_FALSE(found[1].low.has_value());
  EXPECT_FALSE(found[2].may_be_best);
  EXPECT_TRUE(found[2].low.has_value());
}

}  // namespace
}  // namespace petlab::reports
