#pragma once

#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace petlab::pretrain {

/// Learning rate at `progress` in [0, 1] of the schedule: linear warm-up over the first `warm_up`,
/// then a cosine to a thousandth of `peak`.
[[nodiscard]] double scheduled_rate(double peak, double warm_up, double progress);

/// Multiples of the learning rate for layer-wise decay (as in BEiT, Bao et al., 2021): a tower's
/// last layer has 1, each layer below `decay` times that of the one above it, embeddings below all
/// of them; whatever is in no layer has 1.
[[nodiscard]] std::vector<double> layer_rates(const std::vector<sdk::NamedTensor>& parameters,
                                              double decay);

/// AdamW over named parameters, with gradient clipping and a running average of the weights. Weight
/// decay spares vectors and scalars. The parameters' values are changed in place.
class Optimizer {
 public:
  /// `rates` are multiples of the learning rate, one a parameter; empty = all 1.
  Optimizer(std::vector<sdk::NamedTensor> parameters, double weight_decay, double average_decay,
            const std::vector<double>& rates = {});

  /// Clips the gradients to norm 1, takes a step and clears them. Returns the norm before clipping.
  double step(double learning_rate);

  void zero_gradients();

  /// The running average of the weights, in the order of the parameters.
  [[nodiscard]] const std::vector<sdk::NamedTensor>& average() const { return average_; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }

  /// Everything needed to go on: weights, averages, moments and the step, under prefixed names.
  [[nodiscard]] std::vector<sdk::NamedTensor> state() const;

  /// Takes a state() up again. Throws base::Error(data) when a name or shape does not fit.
  void load_state(const std::vector<sdk::NamedTensor>& state);

 private:
  struct Group {
    std::vector<at::Tensor> parameters = {}, first_moments = {}, second_moments = {}, steps = {};
    double weight_decay = 0;
    double rate = 1;
  };
  void for_each_tensor(const auto& visit) const;

  std::vector<sdk::NamedTensor> parameters_;
  std::vector<sdk::NamedTensor> average_;
  std::vector<at::Tensor> first_moments_;
  std::vector<at::Tensor> second_moments_;
  std::vector<Group> groups_;
  double average_decay_;
  std::int64_t steps_ = 0;
};

}  // namespace petlab::pretrain
