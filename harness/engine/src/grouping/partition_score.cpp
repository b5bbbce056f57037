#include "grouping/partition_score.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/partition_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace petlab::engine {
namespace {

using sdk::PartitionObjective;

}  // namespace

PartitionScore::PartitionScore(const std::vector<double>& affinity, std::int64_t n_tasks,
                               PartitionObjective objective)
    : n_(n_tasks), objective_(objective), pairs_(affinity.size()) {
  const auto n = static_cast<std::size_t>(n_);
  double total = 0.0;
  double largest = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    self_.push_back(affinity[i * n + i]);
    for (std::size_t j = 0; j < i; ++j) {
      const double both = 0.5 * (affinity[i * n + j] + affinity[j * n + i]);
      pairs_[i * n + j] = pairs_[j * n + i] = both;
      total += both;
      largest = std::max(largest, std::abs(both));
    }
  }
  if (objective_ == PartitionObjective::pair_sum_centred && n > 1) {
    const double mean = total / (0.5 * static_cast<double>(n) * static_cast<double>(n - 1));
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        if (i != j) pairs_[i * n + j] -= mean;
  }
  if (objective_ == PartitionObjective::task_mean_or_self) {
    for (const double self : self_)
      largest = std::max(largest, std::abs(self));
  }
  resolution_ = std::ldexp(largest, -40);
}

double PartitionScore::value(const GroupSums& group) const {
  const auto size = static_cast<double>(group.size);
  switch (objective_) {
    case PartitionObjective::pair_sum:
    case PartitionObjective::pair_sum_centred:
      return group.pairs;
    case PartitionObjective::group_density:
      return group.size > 0 ? 2.0 * group.pairs / size : 0.0;
    case PartitionObjective::task_mean:
    case PartitionObjective::task_mean_or_self:
      break;
  }
  // Each pair counts for both of its members, each time over the size - 1 others.
  const auto n = static_cast<double>(n_);
  if (group.size > 1) return 2.0 * group.pairs / ((size - 1.0) * n);
  const bool self = group.size == 1 && objective_ == PartitionObjective::task_mean_or_self;
  return self ? self_[static_cast<std::size_t>(group.members)] / n : 0.0;
}

double PartitionScore::score(const std::vector<std::int64_t>& group_of) const {
  std::vector<GroupSums> groups(group_of.size());
  for (std::size_t i = 0; i < group_of.size(); ++i) {
    GroupSums& group = groups[static_cast<std::size_t>(group_of[i])];
    for (std::size_t j = 0; j < i; ++j) {
      if (group_of[j] == group_of[i]) group.pairs += pairs_[i * group_of.size() + j];
    }
    ++group.size;
    group.members += static_cast<std::int64_t>(i);
  }
  double score = 0.0;
  for (const GroupSums& group : groups)
    score += value(group);
  return score;
}

sdk::Partition to_partition(const std::vector<std::int64_t>& group_of) {
  sdk::Partition partition;
  std::vector<std::size_t> place(group_of.size(), group_of.size());
  for (std::size_t task = 0; task < group_of.size(); ++task) {
    std::size_t& group = place[static_cast<std::size_t>(group_of[task])];
    if (group == group_of.size()) {
      group = partition.size();
      partition.emplace_back();
    }
    partition[group].push_back(static_cast<std::int64_t>(task));
  }
  return partition;
}

double partition_score(const std::vector<double>& affinity, std::int64_t n_tasks,
                       const sdk::Partition& partition, PartitionObjective objective) {
  std::vector<std::int64_t> group_of(static_cast<std::size_t>(n_tasks));
  for (std::size_t group = 0; group < partition.size(); ++group) {
    for (const std::int64_t task : partition[group])
      group_of.at(static_cast<std::size_t>(task)) = static_cast<std::int64_t>(group);
  }
  return PartitionScore(affinity, n_tasks, objective).score(group_of);
}

double count_partitions(std::int64_t n_tasks, std::int64_t groups) {
  // Stirling numbers row by row: S(n, k) = S(n-1, k-1) + k S(n-1, k).
  std::vector<double> row(static_cast<std::size_t>(n_tasks) + 1, 0.0);
  row[0] = 1.0;
  for (std::int64_t n = 1; n <= n_tasks; ++n) {
    for (auto k = static_cast<std::size_t>(n); k > 0; --k)
      row[k] = row[k - 1] + static_cast<double>(k) * row[k];
    row[0] = 0.0;
  }
  if (groups > 0) return groups <= n_tasks ? row[static_cast<std::size_t>(groups)] : 0.0;
  double bell = 0.0;
  for (const double count : row)
    bell += count;
  return bell;
}

void check_search(const std::vector<double>& affinity, std::int64_t n_tasks, std::int64_t groups,
                  std::int64_t keep) {
  if (n_tasks < 1 || affinity.size() != static_cast<std::size_t>(n_tasks * n_tasks)) {
    base::throw_config_error("the affinity of " + std::to_string(n_tasks) + " tasks has " +
                             std::to_string(affinity.size()) +
                             " values, expected one a pair of tasks");
  }
  if (groups < 0 || groups > n_tasks) {
    base::throw_config_error(std::to_string(n_tasks) + " tasks cannot be parted into " +
                             std::to_string(groups) + " groups, expected 1 to " +
                             std::to_string(n_tasks) + ", or 0 for any number");
  }
  if (keep < 1)
    base::throw_config_error(
        "the search for a grouping was to keep no partition, expected at least 1");
  if (!std::all_of(affinity.begin(), affinity.end(), [](double a) { return std::isfinite(a); })) {
    throw base::Error(base::ErrorKind::numeric, "the affinity of the tasks is not finite");
  }
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
    throw base::Error(base::ErrorKind::plugin, std::string("grouping '") + who +
                                                   "' gave a partition that does not hold each "
                                                   "of the " +
                                                   std::to_string(n_tasks) +
                                                   " tasks once, in ascending order");
  }
}

}  // namespace petlab::engine
