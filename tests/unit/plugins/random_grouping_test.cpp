#include "fake_grouping_host.hpp"
#include "loaded_plugin.hpp"

#include <gtest/gtest.h>

#include <map>

namespace petlab::tests {
namespace {

FakeGroupingHost make_seeded_host(std::size_t tasks, std::uint64_t seed) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < tasks; ++i)
    names.push_back("task" + std::to_string(i));
  return {names, 1, [](std::int64_t) { return at::Tensor(); }, seed};
}

/// Chi-square statistic of many draws against a uniform choice among all partitions.
double chi_square(std::size_t tasks, std::int64_t groups, int draws) {
  FakeGroupingHost host = make_seeded_host(tasks, 5);
  const auto strategy =
      make_grouping("random_grouping", "random", {{"groups", std::to_string(groups)}});
  std::map<sdk::Partition, int> counts;
  for (int i = 0; i < draws; ++i)
    ++counts[strategy->find(host).partitions.at(0).partition];
  const auto all = all_partitions(static_cast<std::int64_t>(tasks), groups);
  const double expected = static_cast<double>(draws) / static_cast<double>(all.size());
  double statistic = 0.0;
  int seen = 0;
  for (const sdk::Partition& partition : all) {
    seen += counts[partition];
    statistic += (counts[partition] - expected) * (counts[partition] - expected) / expected;
  }
  EXPECT_EQ(seen, draws);  // nothing but canonical partitions of the wanted size
  return statistic;
}

TEST(RandomGrouping, IsUniformOverPartitions) {
  // 99.9 % quantiles: 22.5 for 7 partitions, 36.1 for 15, 52.6 for 25.
  EXPECT_LT(chi_square(4, 2, 7000), 22.5);
  EXPECT_LT(chi_square(4, 0, 15000), 36.1);
  EXPECT_LT(chi_square(5, 3, 10000), 52.6);
}

TEST(RandomGrouping, HandlesTheExtremes) {
  FakeGroupingHost host = make_seeded_host(3, 1);
  const auto find = [&](const char* groups) {
    return make_grouping("random_grouping", "random", {{"groups", groups}})->find(host);
  };
  EXPECT_EQ(find("1").partitions.at(0).partition, (sdk::Partition{{0, 1, 2}}));
  EXPECT_EQ(find("3").partitions.at(0).partition, (sdk::Partition{{0}, {1}, {2}}));
  EXPECT_FALSE(find("1").affinity.defined());
  EXPECT_EQ(host.gradient_calls, 0);
}

TEST(RandomGrouping, DealsOutAThousandTasks) {
  FakeGroupingHost host = make_seeded_host(1000, 1);
  for (const char* groups : {"2", "30", "0"}) {
    const auto partition = make_grouping("random_grouping", "random", {{"groups", groups}})
                               ->find(host)
                               .partitions.at(0)
                               .partition;
    std::size_t tasks = 0;
    for (const auto& group : partition)
      tasks += group.size();
    EXPECT_EQ(tasks, 1000U);
    if (std::string(groups) == "2") {
      EXPECT_EQ(partition.size(), 2U);
      EXPECT_NEAR(static_cast<double>(partition[0].size()), 500.0, 80.0);  // 5 standard deviations
    }
    // Partitions of 1000 tasks have about 190 groups: the number that solves k log k = n.
    if (std::string(groups) == "0") {
      EXPECT_NEAR(static_cast<double>(partition.size()), 190.0, 40.0);
    }
  }
}

TEST(RandomGrouping, DrawsFromItsGeneratorAlone) {
  const auto strategy = make_grouping("random_grouping", "random", {{"groups", "4"}});
  std::vector<sdk::Partition> drawn;
  for (const std::uint64_t seed : {3u, 3u, 4u, 5u}) {
    FakeGroupingHost host = make_seeded_host(10, seed);
    drawn.push_back(strategy->find(host).partitions.at(0).partition);
  }
  EXPECT_EQ(drawn[0], drawn[1]);
  EXPECT_NE(drawn[0], drawn[2]);
  EXPECT_NE(drawn[0], drawn[3]);
}

TEST(RandomGrouping, RefusesMoreGroupsThanTasks) {
  FakeGroupingHost host = make_seeded_host(3, 1);
  EXPECT_EQ(
      error_of(
          sdk::ErrorKind::config,
          [&] { (void)make_grouping("random_grouping", "random", {{"groups", "4"}})->find(host); }),
      "grouping 'random': option 'groups' is 4, expected at most 3, the number of tasks (0 "
      "stands for any)");
}

}  // namespace
}  // namespace petlab::tests
