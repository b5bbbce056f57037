#include "fake_grouping_host.hpp"
#include "loaded_plugin.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace petlab::tests {
namespace {

/// Losses of Standley et al.'s kind: row i, column j is the loss of task i when trained with j, on
/// the diagonal when trained alone.
constexpr double kLosses[4][4] = {{0.50, 0.40, 0.70, 0.60},   //
                                  {0.30, 0.45, 0.65, 0.55},   //
                                  {0.90, 0.85, 0.35, 0.80},   //
                                  {0.70, 0.65, 0.60, 0.62}};  //

FakeGroupingHost make_hoa_host() {
  FakeGroupingHost host({"a", "b", "c", "d"}, 3, [](std::int64_t) { return at::Tensor(); });
  host.losses_of = [](const std::vector<std::int64_t>& tasks) {
    if (tasks.size() == 1) return at::full({1}, kLosses[tasks[0]][tasks[0]], at::kDouble);
    return at::tensor({kLosses[tasks.at(0)][tasks.at(1)], kLosses[tasks.at(1)][tasks.at(0)]},
                      at::kDouble);
  };
  return host;
}

sdk::GroupingResult find_by_hoa(FakeGroupingHost& host, const GivenOptions& given = {}) {
  return make_grouping("hoa_grouping", "hoa", given)->find(host);
}

TEST(HoaGrouping, TrainsEveryTaskAndEveryPairOnce) {
  FakeGroupingHost host = make_hoa_host();
  (void)find_by_hoa(host, {{"held-out", "0.3"}});
  ASSERT_EQ(host.trainings.size(), 4U + 6U);
  std::vector<std::vector<std::int64_t>> sets;
  for (const auto& training : host.trainings) {
    sets.push_back(training.tasks);
    EXPECT_EQ(training.epochs, 2);  // the run's
    EXPECT_EQ(training.held_out, 0.3);
  }
  std::sort(sets.begin(), sets.end());
  EXPECT_EQ(sets, (std::vector<std::vector<std::int64_t>>{
                      {0}, {0, 1}, {0, 2}, {0, 3}, {1}, {1, 2}, {1, 3}, {2}, {2, 3}, {3}}));
  FakeGroupingHost other = make_hoa_host();
  (void)find_by_hoa(other, {{"epochs", "5"}});
  EXPECT_EQ(other.trainings.front().epochs, 5);
}

TEST(HoaGrouping, TakesTheLowestSumOfLosses) {
  FakeGroupingHost host = make_hoa_host();
  const auto result = find_by_hoa(host, {{"groups", "0"}});
  for (std::int64_t i = 0; i < 4; ++i)
    for (std::int64_t j = 0; j < 4; ++j)
      EXPECT_EQ(result.affinity[i][j].item<double>(), -kLosses[i][j]);
  // a with b 0.40 + 0.30, c alone 0.35, d alone 0.62.
  EXPECT_EQ(result.partitions.at(0).partition, (sdk::Partition{{0, 1}, {2}, {3}}));
  EXPECT_NEAR(result.partitions.at(0).score, -(0.40 + 0.30 + 0.35 + 0.62) / 4, 1e-12);
}

TEST(HoaGrouping, TakesALargerGroupForTheMeanOfItsPairs) {
  FakeGroupingHost host = make_hoa_host();
  const auto result = find_by_hoa(host, {{"groups", "2"}});
  // {a, b, d} and c: a (0.40 + 0.60) / 2, b (0.30 + 0.55) / 2, d (0.70 + 0.65) / 2, c 0.35.
  EXPECT_EQ(result.partitions.at(0).partition, (sdk::Partition{{0, 1, 3}, {2}}));
  EXPECT_NEAR(result.partitions.at(0).score, -(0.5 + 0.425 + 0.675 + 0.35) / 4, 1e-12);
  EXPECT_EQ(result.partitions.size(), 7U);
}

TEST(HoaGrouping, NamesTheTasksWhoseLossIsNotFinite) {
  FakeGroupingHost host = make_hoa_host();
  host.losses_of = [](const std::vector<std::int64_t>& tasks) {
    return at::full({static_cast<std::int64_t>(tasks.size())},
                    tasks.size() == 2 ? std::numeric_limits<double>::quiet_NaN() : 1.0,
                    at::kDouble);
  };
  EXPECT_EQ(error_of(sdk::ErrorKind::numeric, [&] { (void)find_by_hoa(host); }),
            "grouping 'hoa': a loss after training on a+b is not finite");
}

TEST(HoaGrouping, RefusesMoreGroupsThanTasksBeforeItTrains) {
  FakeGroupingHost host = make_hoa_host();
  EXPECT_EQ(error_of(sdk::ErrorKind::config, [&] { (void)find_by_hoa(host, {{"groups", "5"}}); }),
            "grouping 'hoa': option 'groups' is 5, expected at most 4, the number of tasks (0 "
            "stands for any)");
  EXPECT_TRUE(host.trainings.empty());
}

}  // namespace
}  // namespace petlab::tests
