#pragma once

#include "petlab/sdk/grouping.hpp"

#include <cstdint>

namespace petlab::plugins::tag_grouping {

/// What a task that is alone in its group scores.
enum class Alone {
  avoid,  ///< less than any company: no task is alone unless the number of groups forces it
  zero,
  self,  ///< its affinity to itself
};

/// TAG (Fifty et al. 2021, eq. 1): Z(i -> j) = 1 - L_j(theta - eta grad L_i) / L_j(theta), averaged
/// over the steps of a warm-up; the partition with the highest mean over tasks of the mean affinity
/// from the other members wins.
class TagGrouping final : public sdk::Grouping {
 public:
  explicit TagGrouping(const sdk::Options& options);

  /// Throws Error(config) when there are more groups than tasks, Error(numeric) naming the task and
  /// the step when an affinity is not finite.
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override;

 private:
  std::int64_t warm_up_epochs_;  // 0: as many as the run
  std::int64_t every_;
  std::int64_t groups_;  // 0: any number
  double look_ahead_;    // 0: the run's learning rate
  Alone alone_;
};

/// Affinities of one step: row i is what a look-ahead step of task i did to every task's loss.
/// `before` [n_tasks], `after` [n_tasks, n_tasks] with a row a look-ahead; fp64 [n_tasks, n_tasks].
[[nodiscard]] at::Tensor look_ahead_affinity(const at::Tensor& before, const at::Tensor& after);

/// The affinity with the diagonal that `alone` stands for under task_mean_or_self.
[[nodiscard]] at::Tensor with_scores_alone(const at::Tensor& affinity, Alone alone);

}  // namespace petlab::plugins::tag_grouping
