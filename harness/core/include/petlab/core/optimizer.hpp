#pragma once

#include "petlab/core/run_spec.hpp"

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace petlab::core {

/// The optimizer of a run: LibTorch's SGD (momentum, dampening 0, no Nesterov) or AdamW. Parameters
/// without a gradient stay as they are: no momentum, no weight decay.
class Optimizer {
 public:
  /// Throws Error(config) for an unknown name.
  Optimizer(const Training& training, std::vector<at::Tensor> parameters);
  ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  void set_learning_rate(double learning_rate);
  void zero_gradients();
  void step();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace petlab::core
