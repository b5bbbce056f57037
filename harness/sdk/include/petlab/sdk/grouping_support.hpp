#pragma once

#include "petlab/sdk/error.hpp"
#include "petlab/sdk/grouping.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// What most grouping strategies need besides the contract.
namespace petlab::sdk {

/// Partitions that a strategy keeps: the winner and runners-up for the store, all 15 of 4 tasks.
inline constexpr std::int64_t kKeptPartitions = 15;

/// Values of an option `objective`.
inline constexpr const char* kObjectiveChoices =
    "pair-sum|pair-sum-centred|group-density|task-mean";

/// The objective that a value of kObjectiveChoices names.
inline PartitionObjective parse_objective(std::string_view text) {
  if (text == "pair-sum") return PartitionObjective::pair_sum;
  if (text == "pair-sum-centred") return PartitionObjective::pair_sum_centred;
  if (text == "group-density") return PartitionObjective::group_density;
  if (text == "task-mean") return PartitionObjective::task_mean;
  throw Error(ErrorKind::internal, "no objective is called '" + std::string(text) + "'");
}

/// Throws Error(config) naming the strategy when option `groups` is above the number of tasks.
/// For the beginning of find(), before anything is trained.
inline void check_groups(const GroupingHost& host, std::int64_t groups, std::string_view strategy) {
  const auto n_tasks = static_cast<std::int64_t>(host.tasks().size());
  if (groups <= n_tasks) return;
  throw Error(ErrorKind::config, "grouping '" + std::string(strategy) + "': option 'groups' is " +
                                     std::to_string(groups) + ", expected at most " +
                                     std::to_string(n_tasks) +
                                     ", the number of tasks (0 stands for any)");
}

/// Throws Error(numeric) naming strategy, task, what (e.g. "gradient") and step (from 1) when a
/// row of `values` [n_tasks, ...] is not finite.
inline void check_finite_rows(const at::Tensor& values, const GroupingHost& host,
                              std::string_view what, std::int64_t step, std::string_view strategy) {
  for (std::int64_t task = 0; task < values.size(0); ++task) {
    if (values[task].isfinite().all().item<bool>()) continue;
    throw Error(ErrorKind::numeric, "grouping '" + std::string(strategy) + "': the " +
                                        std::string(what) + " of task '" +
                                        host.tasks()[static_cast<std::size_t>(task)] +
                                        "' is not finite at warm-up step " + std::to_string(step));
  }
}

}  // namespace petlab::sdk
