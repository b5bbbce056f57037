#pragma once

#include "petlab/engine/sharing.hpp"
#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace petlab::engine {

/// Means over the epochs of those parameters whose adapters want them (sdk::TrainingAdapter::
/// epoch_weights()). Costs nothing where none does.
class EpochMean {
 public:
  /// `weights`: AdaptedBackbone::epoch_weights(). A parameter that several adapters have follows
  /// the first of them.
  EpochMean(const Adapters& adapters, const std::vector<std::vector<double>>& weights);

  /// Adds the present values with the weight of `epoch` (from 0), which is over.
  void add(std::int64_t epoch);

  /// Puts the means in the places of the present values.
  void put();

  /// The sums so far, not copied, under names that a checkpoint knows them by.
  [[nodiscard]] std::vector<sdk::NamedTensor> tensors() const;

 private:
  struct Sum {
    at::Tensor parameter;
    at::Tensor sum;
    std::vector<double> weights;
  };
  std::vector<Sum> sums_;
};

}  // namespace petlab::engine
