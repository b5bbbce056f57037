#pragma once

#include "petlab/sdk/grouping.hpp"

#include <cstdint>
#include <vector>

namespace petlab::engine {

/// Most partitions that search_partitions() looks at one by one: all of 12 tasks (a Bell number).
inline constexpr double kMaxExactPartitions = 4'213'597;

/// Partitions of `n_tasks` tasks into exactly `groups` non-empty groups (0: any number): a Stirling
/// number of the second kind, or a Bell number. Infinite where a double cannot hold it.
[[nodiscard]] double count_partitions(std::int64_t n_tasks, std::int64_t groups);

/// The best partitions of the tasks into exactly `groups` groups (0: any number), at most `keep`,
/// best first. `affinity` is row-major [n_tasks, n_tasks]. Groups do not overlap: a sharing gives a
/// task one group. Looks at every partition where there are at most kMaxExactPartitions, equal
/// scores (to 12 digits of the largest affinity) in the order of their restricted growth strings;
/// beyond, search_partitions_locally(). Throws Error(config) for a number of groups that cannot be,
/// Error(numeric) for an affinity that is not finite.
[[nodiscard]] std::vector<sdk::ScoredPartition> search_partitions(
    const std::vector<double>& affinity, std::int64_t n_tasks, std::int64_t groups,
    sdk::PartitionObjective objective, std::int64_t keep);

/// The same, not exact, for any number of tasks: greedy agglomeration and seeded random starts,
/// each improved by moving a task, swapping two, and merging or splitting groups, with kicks out of
/// local optima. The effort depends on the number of tasks and groups alone, so that the same input
/// gives the same answer. After the best partition come the best others that were met, among them
/// its neighbours by one move or swap.
[[nodiscard]] std::vector<sdk::ScoredPartition> search_partitions_locally(
    const std::vector<double>& affinity, std::int64_t n_tasks, std::int64_t groups,
    sdk::PartitionObjective objective, std::int64_t keep);

/// The score of one partition, as search_partitions() scores it.
[[nodiscard]] double partition_score(const std::vector<double>& affinity, std::int64_t n_tasks,
                                     const sdk::Partition& partition,
                                     sdk::PartitionObjective objective);

/// Throws Error(plugin) naming `who` unless `partition` holds each of the tasks once, in canonical
/// form.
void check_partition(const sdk::Partition& partition, std::int64_t n_tasks, const char* who);

}  // namespace petlab::engine
