#pragma once

#include "petlab/sdk/grouping.hpp"

#include <cstdint>
#include <vector>

namespace petlab::core {

/// Tasks up to which search_partitions() looks at every set partition (4.2 million for 12).
inline constexpr std::int64_t kMaxSearchTasks = 12;

/// The best partitions of the tasks into exactly `groups` groups (0: any number), at most `keep`,
/// best first; equal scores in the order of their restricted growth strings. `affinity` is
/// row-major [n_tasks, n_tasks]; affinity of i and j is the mean of [i, j] and [j, i]. Exact.
/// Throws Error(config) for more than kMaxSearchTasks tasks or a number of groups that cannot be.
[[nodiscard]] std::vector<sdk::ScoredPartition> search_partitions(
    const std::vector<double>& affinity, std::int64_t n_tasks, std::int64_t groups,
    sdk::PartitionObjective objective, std::int64_t keep);

/// The score of one partition, as search_partitions() scores it.
[[nodiscard]] double partition_score(const std::vector<double>& affinity, std::int64_t n_tasks,
                                     const sdk::Partition& partition,
                                     sdk::PartitionObjective objective);

/// Throws Error(plugin) naming `who` unless `partition` holds each of the tasks once, in canonical
/// form.
void check_partition(const sdk::Partition& partition, std::int64_t n_tasks, const char* who);

}  // namespace petlab::core
