#include "petlab/engine/partition_search.hpp"

#include "partition_reference.hpp"
#include "petlab/base/error.hpp"
#include "petlab/engine/seeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace petlab::engine {
namespace {

using sdk::Partition;
using sdk::PartitionObjective;
using testing::all_partitions;
using testing::Entries;
using testing::kEntries;
using testing::kObjectives;
using testing::random_affinity;
using testing::score_by_definition;

/// The group of each task: what canonical order compares.
std::vector<std::int64_t> growth_string(const Partition& partition, std::int64_t n) {
  std::vector<std::int64_t> string(static_cast<std::size_t>(n));
  for (std::size_t g = 0; g < partition.size(); ++g)
    for (const std::int64_t task : partition[g])
      string[static_cast<std::size_t>(task)] = static_cast<std::int64_t>(g);
  return string;
}

/// The best `keep` of all partitions by looking at each; equal scores in canonical order.
std::vector<sdk::ScoredPartition> brute_force(const std::vector<Partition>& all,
                                              const std::vector<double>& affinity, std::int64_t n,
                                              std::int64_t groups, PartitionObjective objective,
                                              std::size_t keep) {
  std::vector<sdk::ScoredPartition> scored;
  for (const Partition& partition : all) {
    if (groups > 0 && static_cast<std::int64_t>(partition.size()) != groups) continue;
    scored.push_back({partition, score_by_definition(affinity, n, partition, objective)});
  }
  const auto steps = [](double score) { return std::nearbyint(score * 1e10); };
  const auto better = [&](const auto& a, const auto& b) {
    if (steps(a.score) != steps(b.score)) return a.score > b.score;
    return growth_string(a.partition, n) < growth_string(b.partition, n);
  };
  const auto end = scored.begin() + static_cast<std::ptrdiff_t>(std::min(keep, scored.size()));
  std::partial_sort(scored.begin(), end, scored.end(), better);
  scored.erase(end, scored.end());
  return scored;
}

void expect_brute_force(std::int64_t n, std::int64_t seeds) {
  const std::vector<Partition> all = all_partitions(n);
  for (std::int64_t seed = 0; seed < seeds; ++seed) {
    for (const Entries entries : kEntries) {
      const auto affinity = random_affinity(n, static_cast<std::uint64_t>(seed), entries);
      for (const auto objective : kObjectives) {
        for (const std::int64_t groups : std::set<std::int64_t>{0, 1, 2, (n + 1) / 2, n}) {
          if (groups > n) continue;
          const auto expected = brute_force(all, affinity, n, groups, objective, 4);
          const auto found = search_partitions(affinity, n, groups, objective, 4);
          ASSERT_EQ(found.size(), expected.size());
          for (std::size_t i = 0; i < found.size(); ++i) {
            ASSERT_EQ(found[i].partition, expected[i].partition)
                << n << " tasks, seed " << seed << ", " << groups << " groups, objective "
                << static_cast<int>(objective) << ", place " << i;
            ASSERT_NEAR(found[i].score, expected[i].score, 1e-12);
            ASSERT_NEAR(partition_score(affinity, n, found[i].partition, objective),
                        expected[i].score, 1e-12);
          }
        }
      }
    }
  }
}

TEST(PartitionSearch, AgreesWithLookingAtEveryPartition) {
  EXPECT_EQ(all_partitions(4).size(), 15U);
  EXPECT_EQ(all_partitions(9).size(), 21147U);
  for (std::int64_t n = 1; n <= 6; ++n)
    expect_brute_force(n, 4);
  expect_brute_force(7, 2);
  expect_brute_force(8, 1);
}

TEST(PartitionSearch, AgreesWithLookingAtEveryPartitionOfNineTasks) {
  const std::vector<Partition> all = all_partitions(9);
  std::uint64_t seed = 100;
  for (const auto objective : kObjectives) {
    for (const std::int64_t groups : {0, 3}) {
      ++seed;
      const auto affinity = random_affinity(9, seed, kEntries[seed % 4]);
      const auto expected = brute_force(all, affinity, 9, groups, objective, 3);
      const auto found = search_partitions(affinity, 9, groups, objective, 3);
      for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_EQ(found[i].partition, expected[i].partition);
    }
  }
}

TEST(PartitionSearch, CountsPartitions) {
  EXPECT_EQ(count_partitions(4, 0), 15.0);
  EXPECT_EQ(count_partitions(4, 2), 7.0);
  EXPECT_EQ(count_partitions(4, 5), 0.0);
  EXPECT_EQ(count_partitions(12, 0), kMaxExactPartitions);
  EXPECT_EQ(count_partitions(13, 0), 27'644'437.0);
  EXPECT_EQ(count_partitions(23, 2), 4'194'303.0);
  EXPECT_TRUE(std::isinf(count_partitions(1000, 0)));
}

TEST(PartitionSearch, SeesAllPartitionsOfFourTasks) {
  const std::vector<double> affinity = random_affinity(4, 1);
  const auto all = search_partitions(affinity, 4, 0, PartitionObjective::pair_sum, 100);
  EXPECT_EQ(all.size(), 15U);
  EXPECT_EQ(search_partitions(affinity, 4, 2, PartitionObjective::pair_sum, 100).size(), 7U);
}

TEST(PartitionSearch, BreaksTiesByCanonicalOrder) {
  const std::vector<double> nothing(16, 0.0);
  const auto found = search_partitions(nothing, 4, 2, PartitionObjective::pair_sum, 2);
  EXPECT_EQ(found[0].partition, (Partition{{0, 1, 2}, {3}}));
  EXPECT_EQ(found[1].partition, (Partition{{0, 1, 3}, {2}}));
}

TEST(PartitionSearch, LocalIsWithinOnePercentOfExact) {
  std::int64_t cases = 0;
  const auto compare = [&](std::int64_t n, std::uint64_t seed, PartitionObjective objective,
                           std::int64_t groups) {
    const auto affinity = random_affinity(n, seed, kEntries[seed % 4]);
    const double exact = search_partitions(affinity, n, groups, objective, 1)[0].score;
    const double local = search_partitions_locally(affinity, n, groups, objective, 1)[0].score;
    EXPECT_LE(local, exact + 1e-12);
    EXPECT_GE(local, exact - 0.01 * std::abs(exact) - 1e-12)
        << n << " tasks, seed " << seed << ", " << groups << " groups, objective "
        << static_cast<int>(objective);
    ++cases;
  };
  for (const auto objective : kObjectives) {
    for (const std::int64_t groups : {0, 2, 4}) {
      for (std::uint64_t seed = 0; seed < 8; ++seed)
        compare(10, seed, objective, groups);
      compare(11, static_cast<std::uint64_t>(groups), objective, groups);
      compare(11, static_cast<std::uint64_t>(groups + 5), objective, groups);
    }
    compare(12, static_cast<std::uint64_t>(objective), objective, 0);
    compare(12, static_cast<std::uint64_t>(objective), objective, 3);
    compare(18, static_cast<std::uint64_t>(objective), objective, 2);  // 131,071 partitions
  }
  EXPECT_EQ(cases, 5 * (3 * 10 + 3));
}

TEST(PartitionSearch, LocalKeepsDifferentPartitionsBestFirst) {
  for (const std::int64_t groups : {0, 5}) {
    const auto affinity = random_affinity(40, 1);
    const auto found =
        search_partitions(affinity, 40, groups, PartitionObjective::group_density, 15);
    ASSERT_EQ(found.size(), 15U);
    std::set<Partition> different;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NO_THROW(check_partition(found[i].partition, 40, "test"));
      if (groups > 0) {
        EXPECT_EQ(found[i].partition.size(), 5U);
      }
      EXPECT_NEAR(
          found[i].score,
          score_by_definition(affinity, 40, found[i].partition, PartitionObjective::group_density),
          1e-10);
      if (i > 0) {
        EXPECT_GE(found[i - 1].score, found[i].score);
      }
      different.insert(found[i].partition);
    }
    EXPECT_EQ(different.size(), 15U);
    const auto again =
        search_partitions(affinity, 40, groups, PartitionObjective::group_density, 15);
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_EQ(again[i].partition, found[i].partition);
  }
}

/// Every tenth of the tasks belongs together; affinities are noisy.
std::vector<double> planted_affinity(std::int64_t n, std::int64_t groups) {
  base::SplitMix64 random(11);
  std::vector<double> values;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      values.push_back((i % groups == j % groups ? 0.4 : 0.0) + random.uniform() - 0.5);
  return values;
}

TEST(PartitionSearch, FindsThePlantedGroupsOfAThousandTasks) {
  const auto affinity = planted_affinity(1000, 10);
  Partition planted(10);
  for (std::int64_t task = 0; task < 1000; ++task)
    planted[static_cast<std::size_t>(task % 10)].push_back(task);
  EXPECT_EQ(search_partitions(affinity, 1000, 10, PartitionObjective::task_mean, 2)[0].partition,
            planted);
  EXPECT_EQ(
      search_partitions(affinity, 1000, 0, PartitionObjective::pair_sum_centred, 2)[0].partition,
      planted);
}

TEST(PartitionSearch, RefusesWhatCannotBe) {
  const auto search = [](std::int64_t n, std::int64_t groups, std::int64_t keep) {
    (void)search_partitions(random_affinity(n, 1), n, groups, PartitionObjective::pair_sum, keep);
  };
  EXPECT_THROW(search(4, 5, 1), base::Error);
  EXPECT_THROW(search(4, -1, 1), base::Error);
  EXPECT_THROW(search(4, 2, 0), base::Error);
  EXPECT_THROW(search(30, 31, 1), base::Error);
  EXPECT_THROW(
      (void)search_partitions(random_affinity(3, 1), 4, 2, PartitionObjective::pair_sum, 1),
      base::Error);
  std::vector<double> broken = random_affinity(4, 1);
  broken[5] = std::nan("");
  EXPECT_THROW((void)search_partitions(broken, 4, 2, PartitionObjective::pair_sum, 1), base::Error);
}

TEST(CheckPartition, WantsEachTaskOnceInOrder) {
  EXPECT_NO_THROW(check_partition({{0, 2}, {1}}, 3, "g"));
  const std::vector<Partition> broken = {{},
                                         {{0, 1}},
                                         {{0, 1}, {1, 2}},
                                         {{0, 1}, {}, {2}},
                                         {{1, 0}, {2}},
                                         {{1}, {0, 2}},
                                         {{0, 1}, {3}},
                                         {{0, 1}, {-1}}};
  for (const Partition& partition : broken) {
    EXPECT_THROW(check_partition(partition, 3, "g"), base::Error);
  }
}

}  // namespace
}  // namespace petlab::engine
