#pragma once

#include "affinity.hpp"
#include "petlab/sdk/grouping.hpp"

#include <cstdint>
#include <string>

namespace petlab::plugins::gradient_grouping {

/// Gradient-driven grouping of the MmAP paper: all tasks train one adapter for a short warm-up, the
/// cosines of their gradients on it are averaged over the last of its steps, and the partition with
/// the highest affinity inside its groups wins.
class GradientGrouping final : public sdk::Grouping {
 public:
  explicit GradientGrouping(const sdk::Options& options);

  /// Throws Error(config) when there are more groups than tasks or no parameter is selected,
  /// Error(numeric) naming the task and the step when a gradient is not finite.
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override;

 private:
  std::int64_t settle_epochs_;
  std::int64_t warm_up_epochs_;
  std::int64_t warm_up_steps_;  // 0: by epochs
  std::int64_t every_;
  std::int64_t groups_;  // 0: any number
  sdk::PartitionObjective objective_;
  Averaging averaging_;
  double momentum_;
  std::string parameters_;
  std::int64_t layer_;  // -1: all
};

}  // namespace petlab::plugins::gradient_grouping
