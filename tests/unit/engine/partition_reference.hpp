#pragma once

#include "petlab/sdk/grouping.hpp"

#include <cstdint>
#include <vector>

// Partition search in the plainest way that could be right, for comparison: it shares no code, no
// order of enumeration and no formula with the search.
namespace petlab::engine::testing {

inline constexpr sdk::PartitionObjective kObjectives[] = {
    sdk::PartitionObjective::pair_sum, sdk::PartitionObjective::pair_sum_centred,
    sdk::PartitionObjective::group_density, sdk::PartitionObjective::task_mean,
    sdk::PartitionObjective::task_mean_or_self};

enum class Entries {
  uniform,   ///< in [-1, 1)
  positive,  ///< in [0, 1): with a free number of groups a sum is best with one group
  small,     ///< integers -1, 0, 1: full of ties
  symmetric  ///< small affinities as gradients have them, symmetric, ones on the diagonal
};
inline constexpr Entries kEntries[] = {Entries::uniform, Entries::positive, Entries::small,
                                       Entries::symmetric};

[[nodiscard]] std::vector<double> random_affinity(std::int64_t n, std::uint64_t seed,
                                                  Entries entries = Entries::uniform);

/// All partitions of n tasks in canonical form, in any order: the first task that is left takes
/// every set of the others into its group.
[[nodiscard]] std::vector<sdk::Partition> all_partitions(std::int64_t n);

/// The objectives as the SDK words them, task by task and pair by pair.
[[nodiscard]] double score_by_definition(const std::vector<double>& affinity, std::int64_t n,
                                         const sdk::Partition& partition,
                                         sdk::PartitionObjective objective);

}  // namespace petlab::engine::testing
