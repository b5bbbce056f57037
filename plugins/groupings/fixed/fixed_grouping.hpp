#pragma once

#include "petlab/sdk/grouping.hpp"

#include <string>
#include <vector>

namespace petlab::plugins::fixed_grouping {

/// One group of all tasks.
class AllInOne final : public sdk::Grouping {
 public:
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override;
};

/// A group for each task.
class OneEach final : public sdk::Grouping {
 public:
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override;
};

/// The partition that `text` stands for: groups between commas, tasks of a group between plus
/// signs, e.g. "line+solid, flat+emoji"; spaces around names do not count. Canonical form.
/// Throws Error(config) naming the task that is unknown, named twice or missing, or an empty name.
[[nodiscard]] sdk::Partition parse_partition(const std::string& text,
                                             const std::vector<std::string>& tasks);

/// The partition that option `groups` names.
class Given final : public sdk::Grouping {
 public:
  /// Throws Error(config) when the option is empty.
  explicit Given(const sdk::Options& options);

  /// Throws Error(config) as parse_partition.
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override;

 private:
  std::string groups_;
};

}  // namespace petlab::plugins::fixed_grouping
