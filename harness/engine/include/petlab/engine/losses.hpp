#pragma once

#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/tasks.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::engine {

/// Mean cross-entropy of a task's images: logits fp32 [B, C], labels int64 [B] -> scalar.
[[nodiscard]] at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels);

/// The loss of a step: tasks' mean losses summed, or their mean.
[[nodiscard]] at::Tensor combine(const std::vector<at::Tensor>& task_losses, TaskLoss how);

/// Losses of the steps of an epoch. Their values are fetched at once on the CPU, where that is
/// free, and in blocks on a GPU, where it would stop the step.
class LossLog {
 public:
  explicit LossLog(const std::vector<Task>& tasks) : tasks_(tasks) {}

  void begin_epoch(std::int64_t epoch) { resume_epoch(epoch, 0, 0.0, last_); }
  /// Goes on in an epoch of which `steps` steps, with this sum() and last(), were done before.
  void resume_epoch(std::int64_t epoch, std::int64_t steps, double sum, double last);
  /// Sum over the steps of the epoch so far of the losses of steps; fetches what is left.
  [[nodiscard]] double sum();

  /// The losses of the tasks of a step, whose own is their mean, or their sum with `shares` (one a
  /// task) as weights. Throws Error(numeric)
  /// naming epoch, step and task when one is not finite; on a GPU perhaps some steps later.
  void add(const std::vector<std::int64_t>& tasks, const std::vector<at::Tensor>& losses,
           std::vector<double> shares = {});

  /// Fetches what is left. Mean over the steps of their losses.
  [[nodiscard]] double finish_epoch();

  /// Of the last step whose value was fetched.
  [[nodiscard]] double last() const { return last_; }

 private:
  void fetch();

  struct Pending {
    std::int64_t step = 0;
    std::vector<std::int64_t> tasks;
    at::Tensor losses;  ///< [n tasks of the step], detached
    std::vector<double> shares;
  };

  const std::vector<Task>& tasks_;
  std::int64_t epoch_ = 0;
  std::int64_t steps_ = 0;
  double sum_ = 0.0;
  double last_ = 0.0;
  std::vector<Pending> pending_;
};

}  // namespace petlab::engine
