#pragma once

#include "petlab/engine/optimizer.hpp"
#include "petlab/sdk/backbone.hpp"
#include "train/epoch_mean.hpp"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <vector>

namespace petlab::engine {

/// The tensors that change while a run trains: parameters, the optimizer's buffers, means over the
/// epochs, and the states of all random generators. Everything is referred to, nothing owned.
class TrainingState {
 public:
  TrainingState(std::vector<at::Tensor> parameters, Optimizer& optimizer, EpochMean& mean,
                at::Generator noise, c10::Device device)
      : parameters_(std::move(parameters)),
        optimizer_(optimizer),
        mean_(mean),
        noise_(std::move(noise)),
        device_(device) {}

  [[nodiscard]] std::vector<sdk::NamedTensor> tensors() const;

  /// Puts back what tensors() gave. Throws Error(data) naming a tensor that is missing or of
  /// another size.
  void restore(const std::vector<sdk::NamedTensor>& tensors);

 private:
  [[nodiscard]] std::vector<std::pair<const char*, at::Generator>> generators() const;

  std::vector<at::Tensor> parameters_;
  Optimizer& optimizer_;
  EpochMean& mean_;
  at::Generator noise_;
  c10::Device device_;
};

}  // namespace petlab::engine
