#pragma once

#include "petlab/sdk/grouping.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace petlab::engine {

/// What the score of a group depends on: enough for every objective, and cheap to keep up to date.
struct GroupSums {
  double pairs = 0.0;        ///< affinities of all pairs inside
  std::int64_t size = 0;     ///< number of members
  std::int64_t members = 0;  ///< sum of their indices: the member itself in a group of one
};

/// An affinity matrix with an objective: a partition's score is the sum over its groups of value().
class PartitionScore {
 public:
  PartitionScore(const std::vector<double>& affinity, std::int64_t n_tasks,
                 sdk::PartitionObjective objective);

  [[nodiscard]] std::int64_t tasks() const { return n_; }

  /// Affinity of a pair as the objective counts it: symmetric, centred where it says so. 0 for i,
  /// i.
  [[nodiscard]] double pair(std::int64_t i, std::int64_t j) const { return row(i)[j]; }
  [[nodiscard]] const double* row(std::int64_t i) const {
    return pairs_.data() + static_cast<std::size_t>(i * n_);
  }

  [[nodiscard]] double value(const GroupSums& group) const;

  /// Score of a partition given as the group of each task (0 .. n_tasks - 1, in any order).
  [[nodiscard]] double score(const std::vector<std::int64_t>& group_of) const;

  /// Differences of scores below this are rounding.
  [[nodiscard]] double resolution() const { return resolution_; }

 private:
  std::int64_t n_;
  sdk::PartitionObjective objective_;
  std::vector<double> pairs_;  ///< [n, n]
  std::vector<double> self_;   ///< diagonal of the affinity
  double resolution_ = 0.0;
};

/// The canonical form of a partition given as the group of each task.
[[nodiscard]] sdk::Partition to_partition(const std::vector<std::int64_t>& group_of);

/// Throws what search_partitions() says it throws.
void check_search(const std::vector<double>& affinity, std::int64_t n_tasks, std::int64_t groups,
                  std::int64_t keep);

}  // namespace petlab::engine
