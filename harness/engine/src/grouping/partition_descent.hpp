#pragma once

#include "grouping/partition_score.hpp"
#include "petlab/engine/seeds.hpp"

#include <cstdint>
#include <vector>

namespace petlab::engine {

/// A partition that is changed step by step: what each step would gain is known from sums that are
/// kept up to date. Groups are slots 0 .. slots() - 1, some of them empty.
class PartitionDescent {
 public:
  /// `n_groups` as in search_partitions(): above 0 no group is ever emptied or opened.
  PartitionDescent(const PartitionScore& score, std::int64_t n_groups);

  /// Starts from a partition, with groups 0 .. slots() - 1; with a fixed number none may be empty.
  /// Their numbers are not kept.
  void reset(const std::vector<std::int64_t>& group_of);

  [[nodiscard]] const std::vector<std::int64_t>& group_of() const { return group_of_; }
  [[nodiscard]] std::int64_t slots() const { return slots_; }

  /// Improves until no move of a task, swap of two tasks, merger of two groups or splitting off of
  /// one task (the last two with a free number of groups) gains anything.
  void improve();

  /// Moves some tasks to random groups: a way out of a local optimum. `strength` tasks are tried.
  void kick(std::int64_t strength, base::SplitMix64& random);

  /// What moving the task would gain. The group may be empty.
  [[nodiscard]] double gain_of_move(std::int64_t task, std::int64_t to) const;

  /// What swapping two tasks of different groups would gain.
  [[nodiscard]] double gain_of_swap(std::int64_t a, std::int64_t b) const;

  /// True when the number of groups allows the move.
  [[nodiscard]] bool may_move(std::int64_t task, std::int64_t to) const;

  /// The first empty slot, or -1.
  [[nodiscard]] std::int64_t empty_slot() const;

  /// Changes that have been looked at so far: the measure of effort, the same on every machine.
  [[nodiscard]] double work() const { return work_; }

 private:
  [[nodiscard]] const double* to_groups(std::int64_t task) const {
    return to_group_.data() + static_cast<std::size_t>(task * slots_);
  }
  [[nodiscard]] double value(std::int64_t group) const {
    return score_.value(groups_[static_cast<std::size_t>(group)]);
  }
  [[nodiscard]] GroupSums without(std::int64_t task) const;
  [[nodiscard]] GroupSums with(std::int64_t group, std::int64_t task) const;
  void move(std::int64_t task, std::int64_t to);
  bool move_tasks();
  bool swap_tasks();
  bool merge_groups();

  const PartitionScore& score_;
  double least_gain_;  ///< above what rounding in the sums can feign: no walk in circles
  bool fixed_;
  std::int64_t n_;
  std::int64_t slots_;
  std::int64_t top_ = 0;  ///< behind the last slot in use
  double work_ = 0.0;
  std::vector<std::int64_t> group_of_;
  std::vector<GroupSums> groups_;
  std::vector<double> to_group_;  ///< [task, group]: affinity of the task to the group's members
};

/// Merges the two groups whose merger gains most, from single tasks on, until `n_groups` are left
/// (0: until no merger gains anything). Gives the group of each task, from 0 without gaps.
[[nodiscard]] std::vector<std::int64_t> agglomerate(const PartitionScore& score,
                                                    std::int64_t n_groups);

}  // namespace petlab::engine
