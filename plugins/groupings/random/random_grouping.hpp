#pragma once

#include "petlab/sdk/grouping.hpp"

#include <cstdint>

namespace petlab::plugins::random_grouping {

/// A partition drawn uniformly from all partitions into the wanted number of non-empty groups:
/// the control of every strategy that claims to know something.
class RandomGrouping final : public sdk::Grouping {
 public:
  explicit RandomGrouping(const sdk::Options& options);

  /// Throws Error(config) when there are more groups than tasks.
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override;

 private:
  std::int64_t groups_;  // 0: any number
};

}  // namespace petlab::plugins::random_grouping
