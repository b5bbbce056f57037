#include "petlab/reports/ranks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Seven tasks, four methods; the second task has a tie.
const std::vector<std::vector<double>> kScores = {
    {.71, .74, .78, .70}, {.52, .55, .60, .55}, {.81, .80, .85, .79}, {.43, .47, .49, .40},
    {.66, .70, .69, .61}, {.58, .60, .60, .57}, {.90, .91, .95, .90}};

// SciPy 1.17: stats.studentized_range.ppf(.95, k, np.inf); Demsar's table 5 holds them divided by
// sqrt(2): 1.960, 2.343, 2.728, 3.164.
TEST(StudentizedRange, HasTheQuantilesOfTheTables) {
  EXPECT_NEAR(studentized_range_95(2), 2.771807648699355, 1e-7);
  EXPECT_NEAR(studentized_range_95(3), 3.314493155398122, 1e-7);
  EXPECT_NEAR(studentized_range_95(5), 3.857655510378623, 1e-7);
  EXPECT_NEAR(studentized_range_95(10), 4.474124221725907, 1e-7);
  EXPECT_NEAR(studentized_range_95(20), 5.0116887941184425, 1e-7);
}

// SciPy 1.17: stats.studentized_range.sf(3.5, k, np.inf)
TEST(StudentizedRange, HasTheProbabilitiesOfSciPy) {
  EXPECT_NEAR(studentized_range_p(3.5, 2), 0.013328328780817356, 1e-9);
  EXPECT_NEAR(studentized_range_p(3.5, 3), 0.03555704186316044, 1e-9);
  EXPECT_NEAR(studentized_range_p(3.5, 10), 0.28201643828913625, 1e-9);
  EXPECT_EQ(studentized_range_p(0.0, 3), 1.0);
}

// Demsar 2006, section 3.2.2: four classifiers on 14 data sets have CD = 1.25.
TEST(CriticalDifference, IsThatOfThePublishedExample) {
  EXPECT_NEAR(critical_difference(4, 14), 1.25, 0.005);
}

// SciPy 1.17: stats.friedmanchisquare(*columns), mean of stats.rankdata(-row), and
// stats.f.sf((N-1)*chi2 / (N*(k-1)-chi2), k-1, (k-1)*(N-1)).
TEST(RankMethods, GivesFriedmansTestAndMeanRanks) {
  const RankAnalysis analysis = rank_methods(kScores);
  ASSERT_TRUE(analysis.ranking.has_value());
  const Ranking& ranking = *analysis.ranking;
  EXPECT_NEAR(ranking.mean_ranks[0], 3.0714285714285716, 1e-12);
  EXPECT_NEAR(ranking.mean_ranks[1], 2.0, 1e-12);
  EXPECT_NEAR(ranking.mean_ranks[2], 1.2142857142857144, 1e-12);
  EXPECT_NEAR(ranking.mean_ranks[3], 3.7142857142857144, 1e-12);
  EXPECT_NEAR(ranking.chi_square, 16.25373134328359, 1e-10);
  EXPECT_NEAR(ranking.p, 0.0010059256870704344, 1e-12);
  EXPECT_NEAR(ranking.iman_davenport_p, 4.83958062962268e-06, 1e-15);
}

TEST(RankMethods, GroupsWhatCannotBeToldApart) {
  // CD is 1.77: 1.21 and 2.00 belong together, so do 2.00, 3.07 and 3.71.
  const RankAnalysis analysis = rank_methods(kScores);
  EXPECT_NEAR(analysis.ranking->critical_difference, 1.7728, 1e-3);
  EXPECT_THAT(analysis.ranking->groups, ElementsAre(ElementsAre(2, 1), ElementsAre(1, 0, 3)));
}

TEST(RankMethods, SaysPlainlyWhenTasksAreTooFew) {
  const RankAnalysis analysis = rank_methods({kScores.begin(), kScores.begin() + 4});
  EXPECT_FALSE(analysis.ranking.has_value());
  EXPECT_EQ(analysis.tasks, 4);
  EXPECT_EQ(analysis.statement,
            "No critical-difference diagram: 4 tasks are too few. Even a row that is best on each "
            "of them would have p = 0.125 in an exact test over tasks; it takes 6 tasks to get "
            "below 0.05.");
}

TEST(RankMethods, SaysWhenNoDifferenceOfRanksCouldBeLargeEnough) {
  // Ten methods on six tasks: CD 5.53 of at most 9. Forty: 29.4. Two hundred would exceed.
  std::vector<std::vector<double>> scores(6, std::vector<double>{.1, .2, .3});
  const RankAnalysis same_order = rank_methods(scores);
  EXPECT_NEAR(same_order.ranking->chi_square, 12.0, 1e-12);
  EXPECT_EQ(same_order.ranking->iman_davenport_p, 0.0);
  EXPECT_THAT(same_order.statement, HasSubstr("Friedman over 6 tasks and 3 rows"));
}

TEST(RankMethods, CallsMethodsThatAreAllEqualEqual) {
  const RankAnalysis analysis =
      rank_methods(std::vector<std::vector<double>>(6, std::vector<double>(3, .5)));
  EXPECT_EQ(analysis.ranking->p, 1.0);
  EXPECT_THAT(analysis.ranking->mean_ranks, ElementsAre(2.0, 2.0, 2.0));
  EXPECT_THAT(analysis.ranking->groups, ElementsAre(ElementsAre(0, 1, 2)));
}

TEST(RankMethods, NeedsThreeMethods) {
  const RankAnalysis analysis =
      rank_methods(std::vector<std::vector<double>>(8, std::vector<double>{.5, .6}));
  EXPECT_FALSE(analysis.ranking.has_value());
  EXPECT_THAT(analysis.statement, HasSubstr("at least three rows"));
  EXPECT_FALSE(rank_methods({}).ranking.has_value());
}

}  // namespace
}  // namespace petlab::reports
