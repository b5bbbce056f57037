#pragma once

#include "grouping/warm_up_batches.hpp"
#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/optimizer.hpp"

#include <ATen/core/Generator.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace petlab::engine {

/// Several adapters of the run's method side by side, with the same initial values, trained with
/// the run's optimizer at its constant learning rate; every task's batch goes through each of them.
/// Functions are those of sdk::GroupingHost. Throws Error(config) for a method that trains nothing.
class BranchWarmUp {
 public:
  BranchWarmUp(const WarmUpContext& context, std::int64_t branches);

  [[nodiscard]] std::int64_t branches() const { return branches_; }

  /// One forward of each tower for all tasks and branches.
  [[nodiscard]] at::Tensor losses();
  void step(const at::Tensor& loss, const std::vector<at::Tensor>& own, double learning_rate);

  void finish() { batches_.finish(); }
  [[nodiscard]] std::int64_t images_encoded() const { return backbone_.images_encoded(); }

 private:
  const WarmUpContext& context_;
  std::int64_t branches_;
  std::vector<Task> tasks_;  ///< the run's tasks once a branch, branch by branch
  Adapters adapters_;
  std::vector<at::Tensor> parameters_;
  AdaptedBackbone backbone_;
  at::Generator noise_;  ///< of the method's training steps
  Optimizer optimizer_;
  std::unique_ptr<Optimizer> own_optimizer_;
  std::vector<at::Tensor> own_;
  WarmUpBatches batches_;
  std::vector<std::int64_t> all_;
};

}  // namespace petlab::engine
