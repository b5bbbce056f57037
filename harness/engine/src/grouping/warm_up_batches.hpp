#pragma once

#include "petlab/engine/grouping_host.hpp"
#include "petlab/engine/losses.hpp"
#include "petlab/engine/sampler.hpp"
#include "petlab/engine/sharing.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace petlab::engine {

/// What adapters for `tasks` are made from: the run's tasks, perhaps several times over.
[[nodiscard]] AdapterSource adapter_source(const WarmUpContext& context,
                                           const std::vector<Task>& tasks);

/// A step's images and labels, one batch a task.
struct WarmUpBatch {
  std::vector<TaskImages> images;
  std::vector<at::Tensor> labels;
};

/// Draws one batch of every task for each step of a warm-up, each task in an order of its own that
/// has a seed of its own, and records the epochs of the warm-up in the run.
class WarmUpBatches {
 public:
  /// `adapters` names what is trained: warm-ups of different kinds see different orders.
  WarmUpBatches(const WarmUpContext& context, const char* adapters);

  /// The next batch of every task, as the backbone's adapters need it.
  [[nodiscard]] WarmUpBatch next(const AdaptedBackbone& backbone);

  /// Records the mean loss of the tasks at the step whose batches were drawn last.
  void add(const std::vector<at::Tensor>& losses);

  /// Records an epoch that was not finished.
  void finish();

 private:
  /// Where a task is in its own order of images.
  struct Cursor {
    std::int64_t epoch = -1;
    std::size_t next = 0;
    std::vector<std::vector<std::int64_t>> batches;
  };

  [[nodiscard]] TaskBatch next_of(std::int64_t task);
  void close_epoch();

  const WarmUpContext& context_;
  std::uint64_t seed_;
  std::vector<SampledTask> sampled_;
  std::vector<std::int64_t> all_;
  std::vector<Cursor> cursors_;
  LossLog log_;
  std::chrono::steady_clock::time_point epoch_start_;
  std::int64_t epoch_ = 0;
  std::int64_t steps_ = 0;   ///< of this epoch
  std::int64_t images_ = 0;  ///< drawn in it
  std::int64_t drawn_ = 0;   ///< steps in all
};

}  // namespace petlab::engine
