#pragma once

#include "petlab/engine/run_spec.hpp"
#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace petlab::engine {

/// The optimizer of a run: LibTorch's SGD (momentum, dampening 0, no Nesterov), AdamW, or Adam,
/// whose weight decay is added to the gradient. Parameters without a gradient stay as they are: no
/// momentum, no weight decay.
class Optimizer {
 public:
  /// `rate_factors` has the factor of the learning rate of each parameter; empty: 1 for all.
  Optimizer(const Training& training, std::vector<at::Tensor> parameters,
            const std::vector<double>& rate_factors = {});
  ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  void set_learning_rate(double learning_rate);
  void zero_gradients();
  void step();

  /// The buffers of the parameters that have taken a step, as "optimizer.INDEX.BUFFER".
  [[nodiscard]] std::vector<sdk::NamedTensor> state() const;
  /// Puts them back; other tensors in the list are left alone. Throws Error(data) naming a buffer
  /// that belongs to no parameter or whose size is not the parameter's.
  void set_state(const std::vector<sdk::NamedTensor>& tensors);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace petlab::engine
