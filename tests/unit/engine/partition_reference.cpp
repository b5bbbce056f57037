#include "partition_reference.hpp"

#include "petlab/engine/seeds.hpp"

#include <cstddef>

namespace petlab::engine::testing {
namespace {

using sdk::Partition;
using sdk::PartitionObjective;

void extend(std::uint32_t left, Partition& partition, std::vector<Partition>& all) {
  if (left == 0) {
    all.push_back(partition);
    return;
  }
  const std::uint32_t first = left & (~left + 1);
  const std::uint32_t others = left ^ first;
  // Every subset of the others, the empty one last.
  for (std::uint32_t subset = others;; subset = (subset - 1) & others) {
    auto& group = partition.emplace_back();
    for (std::int64_t task = 0; task < 32; ++task)
      if (((first | subset) >> task & 1U) != 0) group.push_back(task);
    extend(others ^ subset, partition, all);
    partition.pop_back();
    if (subset == 0) return;
  }
}

}  // namespace

std::vector<double> random_affinity(std::int64_t n, std::uint64_t seed, Entries entries) {
  base::SplitMix64 random(derive_seed(seed, {"affinity"}, {static_cast<std::uint64_t>(entries)}));
  const auto size = static_cast<std::size_t>(n);
  std::vector<double> values(size * size);
  for (double& value : values) {
    if (entries == Entries::uniform) value = 2.0 * random.uniform() - 1.0;
    if (entries == Entries::positive) value = random.uniform();
    if (entries == Entries::small) value = static_cast<double>(random.below(3)) - 1.0;
    if (entries == Entries::symmetric) value = 0.02 * random.uniform() - 0.005;
  }
  if (entries == Entries::symmetric) {
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j <= i; ++j)
        values[i * size + j] = i == j ? 1.0 : values[j * size + i];
  }
  return values;
}

std::vector<Partition> all_partitions(std::int64_t n) {
  std::vector<Partition> all;
  Partition partition;
  extend((std::uint32_t{1} << n) - 1, partition, all);
  return all;
}

double score_by_definition(const std::vector<double>& a, std::int64_t n, const Partition& partition,
                           PartitionObjective objective) {
  const auto pair = [&](std::int64_t i, std::int64_t j) {
    return (a[static_cast<std::size_t>(i * n + j)] + a[static_cast<std::size_t>(j * n + i)]) / 2.0;
  };
  double mean = 0.0;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      if (i != j) mean += pair(i, j) / static_cast<double>(n * (n - 1));
  double score = 0.0;
  for (const auto& group : partition) {
    double ordered_pairs = 0.0;
    for (const std::int64_t i : group) {
      double to_others = 0.0;
      for (const std::int64_t j : group) {
        if (i == j) continue;
        to_others += pair(i, j);
        if (i < j && objective == PartitionObjective::pair_sum) score += pair(i, j);
        if (i < j && objective == PartitionObjective::pair_sum_centred) score += pair(i, j) - mean;
      }
      ordered_pairs += to_others;
      const bool tasks = objective == PartitionObjective::task_mean ||
                         objective == PartitionObjective::task_mean_or_self;
      if (tasks && group.size() > 1)
        score += to_others / static_cast<double>(group.size() - 1) / static_cast<double>(n);
      if (objective == PartitionObjective::task_mean_or_self && group.size() == 1)
        score += pair(i, i) / static_cast<double>(n);
    }
    if (objective == PartitionObjective::group_density)
      score += ordered_pairs / static_cast<double>(group.size());
  }
  return score;
}

}  // namespace petlab::engine::testing
