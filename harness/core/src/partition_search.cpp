#include "petlab/core/partition_search.hpp"

#include "petlab/sdk/error.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace petlab::core {
namespace {

using sdk::PartitionObjective;

/// Sum over pairs inside a group, and its size: enough for both objectives.
struct Group {
  double pair_sum = 0.0;
  std::int64_t size = 0;
};

double score_of(const std::vector<Group>& groups, std::int64_t n_tasks,
                PartitionObjective objective) {
  double score = 0.0;
  for (const Group& group : groups) {
    if (objective == PartitionObjective::pair_sum) {
      score += group.pair_sum;
    } else if (group.size > 1) {
      // Each pair counts for both of its members, each time over the size - 1 others.
      score += 2.0 * group.pair_sum / static_cast<double>(group.size - 1);
    }
  }
  return objective == PartitionObjective::pair_sum ? score : score / static_cast<double>(n_tasks);
}

double pair_affinity(const std::vector<double>& affinity, std::int64_t n, std::int64_t i,
                     std::int64_t j) {
  return 0.5 * (affinity[static_cast<std::size_t>(i * n + j)] +
                affinity[static_cast<std::size_t>(j * n + i)]);
}

/// Walks through all restricted growth strings: task 0 is in group 0, and each further task is in
/// a group that is there or in the next new one.
class Search {
 public:
  Search(const std::vector<double>& affinity, std::int64_t n_tasks, std::int64_t n_groups,
         PartitionObjective objective, std::int64_t keep)
      : affinity_(affinity),
        n_tasks_(n_tasks),
        n_groups_(n_groups),
        objective_(objective),
        keep_(static_cast<std::size_t>(keep)) {}

  std::vector<sdk::ScoredPartition> run() {
    visit(0);
    std::vector<sdk::ScoredPartition> result;
    for (const Found& found : best_)
      result.push_back({to_partition(found.groups), found.score});
    return result;
  }

 private:
  struct Found {
    std::vector<std::int64_t> groups;  ///< of each task
    double score = 0.0;
  };

  void visit(std::int64_t task) {
    if (task == n_tasks_) {
      offer();
      return;
    }
    const auto open = static_cast<std::int64_t>(groups_.size());
    const std::int64_t left = n_tasks_ - task;
    for (std::int64_t g = 0; g <= open; ++g) {
      const std::int64_t used = open + (g == open ? 1 : 0);
      if (n_groups_ > 0 && (used > n_groups_ || used + left - 1 < n_groups_)) continue;
      if (g == open) groups_.emplace_back();
      Group& group = groups_[static_cast<std::size_t>(g)];
      const Group before = group;
      for (std::int64_t other = 0; other < task; ++other) {
        if (group_of_[static_cast<std::size_t>(other)] == g) {
          group.pair_sum += pair_affinity(affinity_, n_tasks_, other, task);
        }
      }
      ++group.size;
      group_of_.push_back(g);
      visit(task + 1);
      group_of_.pop_back();
      if (g == open) {
        groups_.pop_back();
      } else {
        groups_[static_cast<std::size_t>(g)] = before;
      }
    }
  }

  void offer() {
    const double score = score_of(groups_, n_tasks_, objective_);
    if (best_.size() == keep_ && score <= best_.back().score) return;
    // Behind equal scores: strings come in their order, so the first of equals stays first.
    const auto place =
        std::upper_bound(best_.begin(), best_.end(), score,
                         [](double value, const Found& found) { return value > found.score; });
    best_.insert(place, {group_of_, score});
    if (best_.size() > keep_) best_.pop_back();
  }

  [[nodiscard]] static sdk::Partition to_partition(const std::vector<std::int64_t>& groups) {
    sdk::Partition partition;
    for (std::size_t task = 0; task < groups.size(); ++task) {
      const auto g = static_cast<std::size_t>(groups[task]);
      if (g == partition.size()) partition.emplace_back();
      partition[g].push_back(static_cast<std::int64_t>(task));
    }
    return partition;
  }

  const std::vector<double>& affinity_;
  std::int64_t n_tasks_;
  std::int64_t n_groups_;
  PartitionObjective objective_;
  std::size_t keep_;
  std::vector<std::int64_t> group_of_;
  std::vector<Group> groups_;
  std::vector<Found> best_;
};

[[noreturn]] void refuse(const std::string& message) {
  throw sdk::Error(sdk::ErrorKind::config, message);
}

}  // namespace

double partition_score(const std::vector<double>& affinity, std::int64_t n_tasks,
                       const sdk::Partition& partition, PartitionObjective objective) {
  std::vector<Group> groups;
  for (const auto& members : partition) {
    Group& group = groups.emplace_back();
    group.size = static_cast<std::int64_t>(members.size());
    for (std::size_t j = 1; j < members.size(); ++j) {
      for (std::size_t i = 0; i < j; ++i) {
        group.pair_sum += pair_affinity(affinity, n_tasks, members[i], members[j]);
      }
    }
  }
  return score_of(groups, n_tasks, objective);
}

std::vector<sdk::ScoredPartition> search_partitions(const std::vector<double>& affinity,
                                                    std::int64_t n_tasks, std::int64_t groups,
                                                    PartitionObjective objective,
                                                    std::int64_t keep) {
  if (n_tasks < 1 || affinity.size() != static_cast<std::size_t>(n_tasks * n_tasks)) {
    refuse("the affinity of " + std::to_string(n_tasks) + " tasks has " +
           std::to_string(affinity.size()) + " values, expected one a pair of tasks");
  }
  if (n_tasks > kMaxSearchTasks) {
    refuse("grouping of " + std::to_string(n_tasks) +
           " tasks is not supported yet: the search is exact and goes up to " +
           std::to_string(kMaxSearchTasks));
  }
  if (groups < 0 || groups > n_tasks) {
    refuse(std::to_string(n_tasks) + " tasks cannot be parted into " + std::to_string(groups) +
           " groups, expected 1 to " + std::to_string(n_tasks) + ", or 0 for any number");
  }
  if (keep < 1) refuse("the search for a grouping was to keep no partition, expected at least 1");
  if (!std::all_of(affinity.begin(), affinity.end(), [](double a) { return std::isfinite(a); })) {
    throw sdk::Error(sdk::ErrorKind::numeric, "the affinity of the tasks is not finite");
  }
  return Search(affinity, n_tasks, groups, objective, keep).run();
}

void check_partition(const sdk::Partition& partition, std::int64_t n_tasks, const char* who) {
  std::vector<bool> seen(static_cast<std::size_t>(n_tasks));
  std::int64_t count = 0;
  std::int64_t last_first = -1;
  bool good = true;
  for (const auto& group : partition) {
    good = good && !group.empty() && group.front() > last_first;
    std::int64_t last = -1;
    for (const std::int64_t task : group) {
      good = good && task > last && task < n_tasks && !seen[static_cast<std::size_t>(task)];
      if (!good) break;
      seen[static_cast<std::size_t>(task)] = true;
      last = task;
      ++count;
    }
    if (!good) break;
    last_first = group.front();
  }
  if (!good || count != n_tasks) {
    throw sdk::Error(sdk::ErrorKind::plugin, std::string("grouping '") + who +
                                                 "' gave a partition that does not hold each "
                                                 "of the " +
                                                 std::to_string(n_tasks) +
                                                 " tasks once, in ascending order");
  }
}

}  // namespace petlab::core
