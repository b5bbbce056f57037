#include "petlab/reports/best.hpp"
#include "petlab/reports/bootstrap.hpp"
#include "petlab/reports/paired_tests.hpp"
#include "petlab/reports/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <numbers>
#include <vector>

// Runs are simulated with a known truth; a 95 % interval must hold it in 93 to 97 % of them. Seeds
// are fixed, so these tests say the same each time.
namespace petlab::reports {
namespace {

double normal(SplitMix64& random) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - random.unit()));
  return radius * std::cos(2.0 * std::numbers::pi * random.unit());
}

// What CoOp's and Dassl's parse_test_res.py --ci95 prints: 1.96 * numpy.std(x) / sqrt(n).
double half_width_of_the_field(const std::vector<double>& values) {
  double mean = 0.0;
  for (const double value : values)
    mean += value / static_cast<double>(values.size());
  double squares = 0.0;
  for (const double value : values)
    squares += (value - mean) * (value - mean);
  const auto n = static_cast<double>(values.size());
  return 1.96 * std::sqrt(squares / n) / std::sqrt(n);
}

struct Coverage {
  double t_interval = 0.0;
  double of_the_field = 0.0;
  double false_alarms = 0.0;  // paired t-tests under 5 % where there is no difference
};

// Rows of n seeds: two methods share the luck of a split (paired), and have their own.
Coverage coverage_over_seeds(int n, int simulations) {
  SplitMix64 random(2024);
  Coverage result;
  for (int s = 0; s < simulations; ++s) {
    constexpr double kTruth = 0.70;
    std::vector<double> accuracy, difference;
    for (int i = 0; i < n; ++i) {
      const double split = 0.01 * normal(random);
      const double a = kTruth + split + 0.005 * normal(random);
      const double b = kTruth + split + 0.005 * normal(random);
      accuracy.push_back(a);
      difference.push_back(a - b);
    }
    const Estimate mean = estimate(accuracy);
    const double error = std::abs(mean.mean - kTruth);
    result.t_interval += error <= *mean.half_width ? 1.0 : 0.0;
    result.of_the_field += error <= half_width_of_the_field(accuracy) ? 1.0 : 0.0;
    result.false_alarms += *paired_t_p(difference) < 0.05 ? 1.0 : 0.0;
  }
  result.t_interval /= simulations;
  result.of_the_field /= simulations;
  result.false_alarms /= simulations;
  return result;
}

TEST(Calibration, IntervalsOverSeedsHoldTheTruthIn95PercentOfStudies) {
  for (const int n : {3, 5, 10}) {
    const Coverage coverage = coverage_over_seeds(n, 20000);
    std::cout << n << " seeds: t-interval covers " << 100 * coverage.t_interval
              << " %, 1.96 population deviations / sqrt(n) " << 100 * coverage.of_the_field
              << " %; paired t-test: " << 100 * coverage.false_alarms << " % false alarms\n";
    EXPECT_GT(coverage.t_interval, 0.93) << n;
    EXPECT_LT(coverage.t_interval, 0.97) << n;
    EXPECT_GT(coverage.false_alarms, 0.03) << n;
    EXPECT_LT(coverage.false_alarms, 0.07) << n;
  }
}

TEST(Calibration, TheFieldsIntervalOverThreeSeedsCoversThreeQuarters) {
  const Coverage coverage = coverage_over_seeds(3, 20000);
  EXPECT_GT(coverage.of_the_field, 0.73);
  EXPECT_LT(coverage.of_the_field, 0.77);
}

// How often the marks of a table are wrong: rows of n seeds whose true means are known. Seeds have
// luck that all rows share, rows luck of their own, and of different size.
struct MarkErrors {
  double best_excluded = 0.0;     // the first of the best rows is left out of them
  double interval_missed = 0.0;   // an interval to the best of the others leaves out the truth
  double false_equivalent = 0.0;  // a row that is further below the best than the margin has ≈
  double told = 0.0;              // rows ten points below the best that are told from it
};

MarkErrors errors_of_marks(const std::vector<double>& truth, int n, double margin,
                           int simulations) {
  SplitMix64 random(5);
  const auto first_best =
      static_cast<std::size_t>(std::max_element(truth.begin(), truth.end()) - truth.begin());
  MarkErrors errors;
  for (int s = 0; s < simulations; ++s) {
    std::vector<std::map<std::uint64_t, double>> scores(truth.size());
    for (int seed = 1; seed <= n; ++seed) {
      const double split = 0.02 * normal(random);
      for (std::size_t i = 0; i < truth.size(); ++i) {
        const double own = 0.004 * static_cast<double>(1 + i % 3);
        scores[i].emplace(seed, truth[i] + split + own * normal(random));
      }
    }
    const std::vector<BestComparison> found = compare_with_best(scores);
    bool excluded = false, missed = false, equivalent = false;
    int far = 0, told = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      double others = -1.0;
      for (std::size_t j = 0; j < truth.size(); ++j)
        if (j != i) others = std::max(others, truth[j]);
      const double gap = truth[i] - others;
      excluded = excluded || (i == first_best && !found[i].may_be_best);
      missed = missed || *found[i].low > gap || *found[i].high < gap;
      equivalent = equivalent || (gap < -margin && *found[i].low >= -margin);
      far += gap < -0.099 ? 1 : 0;
      told += gap < -0.099 && !found[i].may_be_best ? 1 : 0;
    }
    errors.best_excluded += excluded ? 1.0 / simulations : 0.0;
    errors.interval_missed += missed ? 1.0 / simulations : 0.0;
    errors.false_equivalent += equivalent ? 1.0 / simulations : 0.0;
    errors.told += far > 0 ? static_cast<double>(told) / far / simulations : 0.0;
  }
  return errors;
}

TEST(Calibration, MarksAgainstTheBestAreWrongInAtMost5PercentOfStudies) {
  const std::vector<std::vector<double>> truths = {
      {0.70, 0.70, 0.70, 0.70, 0.70, 0.70},                          // all are the best
      {0.70, 0.699, 0.69, 0.68, 0.60, 0.60},                         // one is
      {0.70, 0.70, 0.6899, 0.6899, 0.6899, 0.60, 0.60, 0.60, 0.60},  // just beyond the margin
      {0.70, 0.6899}};
  for (const int n : {3, 5, 10}) {
    for (const std::vector<double>& truth : truths) {
      const MarkErrors errors = errors_of_marks(truth, n, /*margin=*/0.01, 2000);
      std::cout << truth.size() << " rows, " << n << " seeds: the best row is left out in "
                << 100 * errors.best_excluded << " %, intervals wrong in "
                << 100 * errors.interval_missed << " %, false ≈ in "
                << 100 * errors.false_equivalent
                << " %; rows 10 points below told from it: " << 100 * errors.told << " %\n";
      // Two standard errors of 2,000 studies above 5 %; Bonferroni stays under it.
      EXPECT_LT(errors.best_excluded, 0.06) << n;
      EXPECT_LT(errors.interval_missed, 0.06) << n;
      EXPECT_LT(errors.false_equivalent, 0.06) << n;
    }
  }
  // And they say something: with five seeds rows ten points below the best are told from it.
  EXPECT_GT(errors_of_marks(truths[1], 5, 0.01, 500).told, 0.95);
}

// Intervals of differences to one reference, as report tables print them with their stars: all of a
// table hold the truth together.
TEST(Calibration, StarsAndIntervalsAgainstZeroShotHoldTogetherForAllRows) {
  SplitMix64 random(11);
  constexpr int kRows = 12;
  constexpr int kSimulations = 4000;
  int missed = 0;
  for (int s = 0; s < kSimulations; ++s) {
    std::vector<std::vector<double>> differences(kRows);
    for (int seed = 0; seed < 5; ++seed) {
      const double reference = 0.005 * normal(random);
      for (auto& row : differences)
        row.push_back(0.01 * normal(random) - reference);
    }
    bool any = false;
    for (const auto& row : differences) {
      const double reach = t_quantile(1.0 - 0.025 / kRows, 4) * *standard_error(row);
      const bool outside = std::abs(estimate(row).mean) > reach;
      EXPECT_EQ(outside, kRows * *paired_t_p(row) < 0.05);  // star and interval say the same
      any = any || outside;
    }
    missed += any ? 1 : 0;
  }
  const double share = static_cast<double>(missed) / kSimulations;
  std::cout << kRows << " rows, 5 seeds: some interval misses in " << 100 * share << " %\n";
  EXPECT_LT(share, 0.057);
  EXPECT_GT(share, 0.02);
}

// Test images of four domains: some are easy, some hard, each seed's model has its own luck with
// each. The truth is the expected difference over all images that could have been drawn.
struct ImageWorld {
  std::vector<double> domain_gains = {0.05, 0.03, 0.0, -0.02};
  int images = 150;  // a domain
  int seeds = 5;

  double truth() const {
    double sum = 0.0;
    for (const double gain : domain_gains)
      sum += gain / static_cast<double>(domain_gains.size());
    return sum;
  }

  std::vector<std::vector<ImagePair>> draw(SplitMix64& random) const {
    std::vector<std::vector<ImagePair>> tasks;
    for (const double gain : domain_gains) {
      std::vector<ImagePair> drawn;
      for (int i = 0; i < images; ++i) {
        const double kind = random.unit();
        const double b = kind < 0.5 ? 0.95 : kind < 0.75 ? 0.5 : 0.1;
        // An image that gains or loses does so with every seed: gains cluster. No chance leaves
        // 0 to 1, so the expected gain of a domain is what domain_gains says.
        const double swing = random.unit() < 0.5 ? 0.3 : -0.3;
        const double a = kind < 0.5 ? b : kind < 0.75 ? b + swing + 4.0 * gain : b;
        ImagePair pair{0, seeds};
        for (int s = 0; s < seeds; ++s)
          pair.difference += (random.unit() < a ? 1 : 0) - (random.unit() < b ? 1 : 0);
        drawn.push_back(pair);
      }
      tasks.push_back(std::move(drawn));
    }
    return tasks;
  }
};

// What forgetting that seeds see the same images does: every answer its own image.
std::vector<std::vector<ImagePair>> without_clusters(
    const std::vector<std::vector<ImagePair>>& tasks) {
  std::vector<std::vector<ImagePair>> result;
  for (const auto& images : tasks) {
    std::vector<ImagePair> single;
    for (const ImagePair& image : images)
      for (int s = 0; s < image.seeds; ++s) {
        const int sign = image.difference > 0 ? 1 : -1;
        single.push_back({s < std::abs(image.difference) ? sign : 0, 1});
      }
    result.push_back(std::move(single));
  }
  return result;
}

TEST(Calibration, TheBootstrapOverImagesHoldsTheTruthIn95PercentOfStudies) {
  SplitMix64 random(77);
  const ImageWorld world;
  constexpr int kSimulations = 1000;
  int covered = 0;
  int covered_without_clusters = 0;
  for (int s = 0; s < kSimulations; ++s) {
    const auto tasks = world.draw(random);
    const auto interval = paired_bootstrap(tasks, 500, random.next());
    covered += interval.low <= world.truth() && world.truth() <= interval.high ? 1 : 0;
    if (s >= kSimulations / 4) continue;
    const auto naive = paired_bootstrap(without_clusters(tasks), 500, random.next());
    covered_without_clusters += naive.low <= world.truth() && world.truth() <= naive.high ? 1 : 0;
  }
  const double share = static_cast<double>(covered) / kSimulations;
  const double naive = static_cast<double>(covered_without_clusters) / (kSimulations / 4);
  std::cout << "bootstrap over 4 x 150 images, 5 seeds: covers " << 100 * share
            << " %, without clusters " << 100 * naive << " %\n";
  EXPECT_GT(share, 0.93);
  EXPECT_LT(share, 0.97);
  EXPECT_LT(naive, 0.90);
}

TEST(Calibration, PairedTestsOverImagesRarelyRaiseFalseAlarms) {
  SplitMix64 random(3);
  constexpr int kSimulations = 4000;
  int mcnemar = 0;
  int ranks = 0;
  for (int s = 0; s < kSimulations; ++s) {
    int first = 0, second = 0;
    for (int i = 0; i < 400; ++i) {
      const bool a = random.unit() < 0.7, b = random.unit() < 0.7;
      first += a && !b ? 1 : 0;
      second += b && !a ? 1 : 0;
    }
    mcnemar += mcnemar_p(first, second) < 0.05 ? 1 : 0;
    std::vector<double> differences;
    for (int i = 0; i < 20; ++i)
      differences.push_back(normal(random));
    ranks += signed_ranks(differences)->p < 0.05 ? 1 : 0;
  }
  // Exact tests stay at or under 5 %, McNemar's a little under as counts are whole.
  EXPECT_LT(mcnemar, 0.055 * kSimulations);
  EXPECT_GT(mcnemar, 0.025 * kSimulations);
  EXPECT_LT(ranks, 0.058 * kSimulations);
  EXPECT_GT(ranks, 0.035 * kSimulations);
}

}  // namespace
}  // namespace petlab::reports
