#pragma once

#include "petlab/sdk/grouping.hpp"

#include <cstdint>

namespace petlab::plugins::dmtg_grouping {

/// DMTG (Gao et al. 2024): groups are learned together with the weights. Every task trains every
/// branch; a Gumbel-softmax sample of learned logits, one row a task, weighs what each branch's
/// loss counts; at the end each task goes to its likeliest branch.
class DmtgGrouping final : public sdk::Grouping {
 public:
  explicit DmtgGrouping(const sdk::Options& options);

  /// The affinity of two tasks is the probability that they share a group. Throws Error(numeric)
  /// naming the task and the step when a loss is not finite.
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override;

 private:
  std::int64_t epochs_;  // 0: as many as the run
  std::int64_t groups_;  // at most
  double temperature_;
  double learning_rate_;
  double entropy_weight_;
};

}  // namespace petlab::plugins::dmtg_grouping
