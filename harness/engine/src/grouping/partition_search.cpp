#include "petlab/engine/partition_search.hpp"

#include "grouping/partition_score.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::engine {
namespace {

/// Walks through all restricted growth strings: task 0 is in group 0, and each further task is in
/// a group that is there or in the next new one.
class ExactSearch {
 public:
  ExactSearch(const PartitionScore& score, std::int64_t n_groups, std::int64_t keep)
      : score_(score),
        n_groups_(n_groups),
        keep_(static_cast<std::size_t>(keep)),
        to_group_(static_cast<std::size_t>(score.tasks() * score.tasks())) {}

  std::vector<sdk::ScoredPartition> run() {
    visit(0);
    std::vector<sdk::ScoredPartition> result;
    for (const Found& found : best_)
      result.push_back({to_partition(found.group_of), found.score});
    return result;
  }

 private:
  struct Found {
    std::vector<std::int64_t> group_of;
    double score = 0.0;
    double step =
        0.0;  ///< score in steps of the resolution: equal where rounding is the difference
  };

  void visit(std::int64_t task) {
    const std::int64_t n = score_.tasks();
    if (task == n) {
      offer();
      return;
    }
    const auto open = static_cast<std::int64_t>(groups_.size());
    double* to_group = to_group_.data() + static_cast<std::size_t>(task * n);
    std::fill(to_group, to_group + open + 1, 0.0);
    const double* pairs = score_.row(task);
    for (std::int64_t other = 0; other < task; ++other)
      to_group[group_of_[static_cast<std::size_t>(other)]] += pairs[other];

    for (std::int64_t g = 0; g <= open; ++g) {
      const std::int64_t used = open + (g == open ? 1 : 0);
      if (n_groups_ > 0 && (used > n_groups_ || used + n - task - 1 < n_groups_)) continue;
      if (g == open) groups_.emplace_back();
      const GroupSums before = groups_[static_cast<std::size_t>(g)];
      groups_[static_cast<std::size_t>(g)] = {before.pairs + to_group[g], before.size + 1,
                                              before.members + task};
      group_of_.push_back(g);
      visit(task + 1);
      group_of_.pop_back();
      groups_[static_cast<std::size_t>(g)] = before;
      if (g == open) groups_.pop_back();
    }
  }

  void offer() {
    double score = 0.0;
    for (const GroupSums& group : groups_)
      score += score_.value(group);
    const double step =
        score_.resolution() > 0.0 ? std::nearbyint(score / score_.resolution()) : 0.0;
    if (best_.size() == keep_ && step <= best_.back().step) return;
    // Behind equal scores: strings come in their order, so the first of equals stays first.
    const auto place =
        std::upper_bound(best_.begin(), best_.end(), step,
                         [](double value, const Found& found) { return value > found.step; });
    best_.insert(place, {group_of_, score, step});
    if (best_.size() > keep_) best_.pop_back();
  }

  const PartitionScore& score_;
  std::int64_t n_groups_;
  std::size_t keep_;
  std::vector<double> to_group_;  ///< [task, group]: affinity of the task to the group's members
  std::vector<std::int64_t> group_of_;
  std::vector<GroupSums> groups_;
  std::vector<Found> best_;
};

}  // namespace

std::vector<sdk::ScoredPartition> search_partitions(const std::vector<double>& affinity,
                                                    std::int64_t n_tasks, std::int64_t groups,
                                                    sdk::PartitionObjective objective,
                                                    std::int64_t keep) {
  check_search(affinity, n_tasks, groups, keep);
  if (count_partitions(n_tasks, groups) > kMaxExactPartitions)
    return search_partitions_locally(affinity, n_tasks, groups, objective, keep);
  return ExactSearch(PartitionScore(affinity, n_tasks, objective), groups, keep).run();
}

}  // namespace petlab::engine
