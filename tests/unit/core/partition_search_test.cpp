#include "petlab/core/partition_search.hpp"

#include "petlab/core/seeds.hpp"
#include "petlab/sdk/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace petlab::core {
namespace {

using sdk::Partition;
using sdk::PartitionObjective;

std::vector<double> random_affinity(std::int64_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<double> values(static_cast<std::size_t>(n * n));
  for (double& value : values)
    value = 2.0 * random.uniform() - 1.0;
  return values;
}

/// All partitions of n tasks, by giving each task any of n labels: another way than the search's.
std::set<Partition> all_partitions(std::int64_t n) {
  std::set<Partition> all;
  std::int64_t codes = 1;
  for (std::int64_t i = 0; i < n; ++i)
    codes *= n;
  for (std::int64_t code = 0; code < codes; ++code) {
    std::map<std::int64_t, std::vector<std::int64_t>> groups;
    for (std::int64_t task = 0, rest = code; task < n; ++task, rest /= n) {
      groups[rest % n].push_back(task);
    }
    Partition partition;
    for (auto& [label, group] : groups)
      partition.push_back(group);
    std::sort(partition.begin(), partition.end());
    all.insert(partition);
  }
  return all;
}

/// The objectives as the SDK words them.
double score_by_definition(const std::vector<double>& a, std::int64_t n, const Partition& partition,
                           PartitionObjective objective) {
  const auto affinity = [&](std::int64_t i, std::int64_t j) {
    return 0.5 * (a[static_cast<std::size_t>(i * n + j)] + a[static_cast<std::size_t>(j * n + i)]);
  };
  double pairs = 0.0;
  double tasks = 0.0;
  for (const auto& group : partition) {
    for (const std::int64_t i : group) {
      double others = 0.0;
      for (const std::int64_t j : group) {
        if (i == j) continue;
        others += affinity(i, j);
        if (i < j) pairs += affinity(i, j);
      }
      if (group.size() > 1) tasks += others / static_cast<double>(group.size() - 1);
    }
  }
  return objective == PartitionObjective::pair_sum ? pairs : tasks / static_cast<double>(n);
}

TEST(PartitionSearch, AgreesWithLookingAtEveryPartition) {
  for (std::int64_t n = 1; n <= 6; ++n) {
    const std::set<Partition> all = all_partitions(n);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const std::vector<double> affinity = random_affinity(n, seed);
      for (const auto objective : {PartitionObjective::pair_sum, PartitionObjective::task_mean}) {
        for (std::int64_t groups = 0; groups <= n; ++groups) {
          std::vector<double> scores;
          for (const Partition& partition : all) {
            if (groups > 0 && static_cast<std::int64_t>(partition.size()) != groups) continue;
            scores.push_back(score_by_definition(affinity, n, partition, objective));
          }
          std::sort(scores.rbegin(), scores.rend());
          const auto found = search_partitions(affinity, n, groups, objective, 4);
          ASSERT_EQ(found.size(), std::min<std::size_t>(4, scores.size()));
          for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_TRUE(all.contains(found[i].partition));
            EXPECT_NEAR(found[i].score, scores[i], 1e-12);
            EXPECT_NEAR(found[i].score,
                        score_by_definition(affinity, n, found[i].partition, objective), 1e-12);
            EXPECT_NEAR(found[i].score, partition_score(affinity, n, found[i].partition, objective),
                        1e-12);
          }
        }
      }
    }
  }
}

TEST(PartitionSearch, SeesAllPartitionsOfFourTasks) {
  const std::vector<double> affinity = random_affinity(4, 1);
  const auto all = search_partitions(affinity, 4, 0, PartitionObjective::pair_sum, 100);
  EXPECT_EQ(all.size(), 15U);  // Bell number
  EXPECT_EQ(search_partitions(affinity, 4, 2, PartitionObjective::pair_sum, 100).size(), 7U);
}

TEST(PartitionSearch, BreaksTiesByCanonicalOrder) {
  const std::vector<double> nothing(16, 0.0);
  const auto found = search_partitions(nothing, 4, 2, PartitionObjective::pair_sum, 2);
  EXPECT_EQ(found[0].partition, (Partition{{0, 1, 2}, {3}}));
  EXPECT_EQ(found[1].partition, (Partition{{0, 1, 3}, {2}}));
}

TEST(PartitionSearch, HandlesTwelveTasks) {
  const auto found =
      search_partitions(random_affinity(12, 3), 12, 0, PartitionObjective::task_mean, 1);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NO_THROW(check_partition(found[0].partition, 12, "test"));
}

TEST(PartitionSearch, RefusesWhatCannotBe) {
  const auto search = [](std::int64_t n, std::int64_t groups, std::int64_t keep) {
    (void)search_partitions(random_affinity(n, 1), n, groups, PartitionObjective::pair_sum, keep);
  };
  EXPECT_THROW(search(4, 5, 1), sdk::Error);
  EXPECT_THROW(search(4, -1, 1), sdk::Error);
  EXPECT_THROW(search(4, 2, 0), sdk::Error);
  EXPECT_THROW(search(13, 2, 1), sdk::Error);
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
    EXPECT_THROW(check_partition(partition, 3, "g"), sdk::Error);
  }
}

}  // namespace
}  // namespace petlab::core
