#pragma once

#include <cstdint>
#include <string>
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

/// Optimizer steps of an epoch: the most batches that any task has.
[[nodiscard]] std::int64_t steps_per_epoch(const std::vector<SampledTask>& tasks,
                                           std::int64_t batch);

/// The batches of one task in one epoch: every image once, shuffled by (seed, task name, epoch)
/// alone; the last batch holds what is left.
[[nodiscard]] std::vector<std::vector<std::int64_t>> task_batches(const SampledTask& task,
                                                                  std::int64_t batch,
                                                                  std::uint64_t seed,
                                                                  std::int64_t epoch);

/// The steps of one epoch. Batches of tasks that have fewer are spread evenly. As the batches of a
/// task do not depend on the other tasks, a per-task run is the same as a run of each task alone.
[[nodiscard]] std::vector<Step> epoch_steps(const std::vector<SampledTask>& tasks,
                                            std::int64_t batch, std::uint64_t seed,
                                            std::int64_t epoch);

}  // namespace petlab::engine
