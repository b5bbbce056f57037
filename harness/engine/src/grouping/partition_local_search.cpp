#include "grouping/partition_descent.hpp"
#include "petlab/engine/partition_search.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace petlab::engine {
namespace {

// Effort: kicks from each start, within bounds, until about kWork changes have been looked at.
constexpr double kWork = 1.5e8;
constexpr std::int64_t kMinKicks = 5;
constexpr std::int64_t kMaxKicks = 300;
constexpr std::int64_t kRandomStarts = 3;

/// The best different partitions that were met.
class Best {
 public:
  Best(const PartitionScore& score, std::int64_t keep)
      : score_(score), keep_(static_cast<std::size_t>(keep)) {}

  void offer(const std::vector<std::int64_t>& group_of) {
    const double score = score_.score(group_of);
    if (found_.size() == keep_ && score <= found_.back().score) return;
    sdk::Partition partition = to_partition(group_of);
    const auto same = [&partition](const auto& found) { return found.partition == partition; };
    if (std::any_of(found_.begin(), found_.end(), same)) return;
    const auto place =
        std::upper_bound(found_.begin(), found_.end(), score,
                         [](double value, const auto& found) { return value > found.score; });
    found_.insert(place, {std::move(partition), score});
    if (found_.size() > keep_) found_.pop_back();
  }

  [[nodiscard]] std::vector<sdk::ScoredPartition>& found() { return found_; }

 private:
  const PartitionScore& score_;
  std::size_t keep_;
  std::vector<sdk::ScoredPartition> found_;
};

/// Each group gets a task, the others are dealt out at random: no group is empty.
std::vector<std::int64_t> random_start(std::int64_t n_tasks, std::int64_t n_groups,
                                       base::SplitMix64& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n_tasks));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(i)]);
  std::vector<std::int64_t> group_of(order.size());
  for (std::int64_t i = 0; i < n_tasks; ++i) {
    group_of[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] =
        i < n_groups
            ? i
            : static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n_groups)));
  }
  return group_of;
}

std::vector<std::vector<std::int64_t>> starts(const PartitionScore& score, std::int64_t n_groups,
                                              base::SplitMix64& random) {
  const std::int64_t n = score.tasks();
  std::vector<std::vector<std::int64_t>> all = {agglomerate(score, n_groups)};
  if (n_groups == 0) {
    all.emplace_back(static_cast<std::size_t>(n), 0);  // one group of all
    auto& alone = all.emplace_back(static_cast<std::size_t>(n));
    std::iota(alone.begin(), alone.end(), 0);
  }
  for (std::int64_t i = 0; i < kRandomStarts; ++i) {
    const auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
    all.push_back(random_start(n, n_groups > 0 ? n_groups : std::min(n, root << i), random));
  }
  return all;
}

/// The best partition's neighbours by one move or one swap, as many as can be among the best.
void offer_neighbours(const PartitionScore& score, std::int64_t n_groups, std::int64_t keep,
                      Best& best) {
  struct Change {
    double gain;
    std::int64_t task;
    std::int64_t to;     ///< group, or -1
    std::int64_t other;  ///< task to swap with, or -1
  };
  PartitionDescent descent(score, n_groups);
  std::vector<std::int64_t> group_of(static_cast<std::size_t>(score.tasks()));
  const sdk::Partition& partition = best.found().front().partition;
  for (std::size_t g = 0; g < partition.size(); ++g)
    for (const std::int64_t task : partition[g])
      group_of[static_cast<std::size_t>(task)] = static_cast<std::int64_t>(g);
  descent.reset(group_of);
  const auto open = std::min(static_cast<std::int64_t>(partition.size()) + 1, descent.slots());

  std::vector<Change> changes;
  const auto better = [](const Change& a, const Change& b) { return a.gain > b.gain; };
  const auto add = [&](const Change& change) {
    changes.push_back(change);
    std::push_heap(changes.begin(), changes.end(), better);
    if (static_cast<std::int64_t>(changes.size()) > 2 * keep) {
      std::pop_heap(changes.begin(), changes.end(), better);
      changes.pop_back();
    }
  };
  for (std::int64_t task = 0; task < score.tasks(); ++task) {
    for (std::int64_t to = 0; to < open; ++to)
      if (descent.may_move(task, to)) add({descent.gain_of_move(task, to), task, to, -1});
    for (std::int64_t other = task + 1; other < score.tasks(); ++other) {
      if (group_of[static_cast<std::size_t>(task)] != group_of[static_cast<std::size_t>(other)])
        add({descent.gain_of_swap(task, other), task, -1, other});
    }
  }
  std::sort_heap(changes.begin(), changes.end(), better);
  for (const Change& change : changes) {
    std::vector<std::int64_t> neighbour = group_of;
    if (change.other < 0) {
      neighbour[static_cast<std::size_t>(change.task)] = change.to;
    } else {
      std::swap(neighbour[static_cast<std::size_t>(change.task)],
                neighbour[static_cast<std::size_t>(change.other)]);
    }
    best.offer(neighbour);
  }
}

}  // namespace

std::vector<sdk::ScoredPartition> search_partitions_locally(const std::vector<double>& affinity,
                                                            std::int64_t n_tasks,
                                                            std::int64_t groups,
                                                            sdk::PartitionObjective objective,
                                                            std::int64_t keep) {
  check_search(affinity, n_tasks, groups, keep);
  const PartitionScore score(affinity, n_tasks, objective);
  base::SplitMix64 random(derive_seed(0, {"partition search"}));
  PartitionDescent descent(score, groups);
  Best best(score, keep);
  const auto all_starts = starts(score, groups, random);
  const std::int64_t strength = std::max<std::int64_t>(2, n_tasks / 20);
  double limit = 0.0;
  for (const auto& start : all_starts) {
    limit += kWork / static_cast<double>(all_starts.size());
    descent.reset(start);
    descent.improve();
    best.offer(descent.group_of());
    std::vector<std::int64_t> here = descent.group_of();
    double here_score = score.score(here);
    for (std::int64_t k = 0; k < kMaxKicks && (k < kMinKicks || descent.work() < limit); ++k) {
      descent.reset(here);
      descent.kick(
          2 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(strength))),
          random);
      descent.improve();
      best.offer(descent.group_of());
      const double there = score.score(descent.group_of());
      if (there >= here_score) {
        here = descent.group_of();
        here_score = there;
      }
    }
  }
  offer_neighbours(score, groups, keep, best);
  return best.found();
}

}  // namespace petlab::engine
