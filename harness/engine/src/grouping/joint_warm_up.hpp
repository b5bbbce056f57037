#pragma once

#include "grouping/warm_up_batches.hpp"
#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/optimizer.hpp"

#include <ATen/core/Generator.h>

#include <cstdint>
#include <vector>

namespace petlab::engine {

/// One adapter of the run's method that all tasks share, trained with the run's optimizer at its
/// constant learning rate: in a warm-up of an epoch or two the schedule's own warm-up would hardly
/// move it. Adapter and order of images have seeds of their own. Functions are those of
/// sdk::GroupingHost. Throws Error(config) for a method that trains nothing.
class JointWarmUp {
 public:
  explicit JointWarmUp(const WarmUpContext& context);

  [[nodiscard]] std::vector<sdk::SharedParameter> shared_parameters() const;
  /// Copies of the adapter's parameters as they are now.
  [[nodiscard]] std::vector<sdk::NamedTensor> values() const;

  /// One text forward for all tasks, one image forward and one backward a task.
  [[nodiscard]] at::Tensor task_gradients();
  [[nodiscard]] at::Tensor task_losses() const;
  [[nodiscard]] at::Tensor losses_after_step(std::int64_t task, double learning_rate);
  void step();
  void joint_step();

  void finish() { batches_.finish(); }
  [[nodiscard]] std::int64_t images_encoded() const { return backbone_.images_encoded(); }

 private:
  [[nodiscard]] std::vector<at::Tensor> forward(at::Generator& noise);
  void check_looked(const char* function) const;

  const WarmUpContext& context_;
  Adapters adapters_;
  std::vector<at::Tensor> parameters_;
  AdaptedBackbone backbone_;
  at::Generator noise_;         ///< of the method's training steps
  at::Generator noise_before_;  ///< as it was before the last task_gradients()
  Optimizer optimizer_;
  WarmUpBatches batches_;
  std::vector<std::int64_t> all_;
  WarmUpBatch batch_;     ///< of the last task_gradients()
  at::Tensor losses_;     ///< [n_tasks] of it, fp64, on the CPU
  at::Tensor gradients_;  ///< [n_tasks, n_parameters] of it, on the device; undefined after a step
};

}  // namespace petlab::engine
