#pragma once

#include "petlab/sdk/grouping.hpp"

#include <cstdint>

namespace petlab::plugins::hoa_grouping {

/// Higher-order approximation (Standley et al. 2020): every task and every pair of tasks is
/// trained; the loss of a task in a larger group is taken to be the mean of its losses in the pairs
/// inside; the partition with the lowest sum of losses wins.
class HoaGrouping final : public sdk::Grouping {
 public:
  explicit HoaGrouping(const sdk::Options& options);

  /// The affinity of i and j is the negative loss of task i when trained with j; with itself, when
  /// trained alone. A partition's score is the negative mean loss. Throws Error(config) when there
  /// are more groups than tasks, Error(numeric) naming the tasks when a loss is not finite.
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override;

 private:
  std::int64_t epochs_;  // 0: as many as the run
  double held_out_;
  std::int64_t groups_;  // 0: any number
};

}  // namespace petlab::plugins::hoa_grouping
