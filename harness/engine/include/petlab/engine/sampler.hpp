#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace petlab::engine {

/// A task's part of a step: `positions` in its list of training images.
struct TaskBatch {
  std::int64_t task = 0;
  std::vector<std::int64_t> positions;
};

/// What one optimizer step sees: at most one batch a task, tasks ascend.
using Step = std::vector<TaskBatch>;

struct SampledTask {
  std::string name;
  std::int64_t images = 0;
};

/// How images become batches.
struct Batching {
  // A number alone is a batch of each task.
  Batching(std::int64_t size, bool drop = false,
           std::vector<std::vector<std::size_t>> together = {})
      : batch(size), drop_last(drop), unions(std::move(together)) {}

  std::int64_t batch;  ///< images of one
  /// Images that fill no last batch are left out of an epoch (which ones, its order says), but for
  /// those of a list that is shorter than a batch.
  bool drop_last;
  /// Tasks (indices) whose images are drawn from as from one list, every task in one of them, each
  /// ascending. Empty: every task for itself.
  std::vector<std::vector<std::size_t>> unions;
};

/// Optimizer steps of an epoch: the most batches that any task has, or any union.
[[nodiscard]] std::int64_t steps_per_epoch(const std::vector<SampledTask>& tasks,
                                           const Batching& batching);

/// The batches of one task in one epoch: every image once, shuffled by (seed, task name, epoch)
/// alone; the last batch holds what is left.
[[nodiscard]] std::vector<std::vector<std::int64_t>> task_batches(const SampledTask& task,
                                                                  const Batching& batching,
                                                                  std::uint64_t seed,
                                                                  std::int64_t epoch);

/// The steps of one epoch. Batches of tasks that have fewer are spread evenly. As the batches of a
/// task do not depend on the other tasks, a per-task run is the same as a run of each task alone.
/// Likewise those of a union, which hold images of its tasks as they come, shuffled by (seed, names
/// of its tasks, epoch); a union of one task has that task's batches.
[[nodiscard]] std::vector<Step> epoch_steps(const std::vector<SampledTask>& tasks,
                                            const Batching& batching, std::uint64_t seed,
                                            std::int64_t epoch);

}  // namespace petlab::engine
