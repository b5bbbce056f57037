#include "train/epoch_mean.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <string>
#include <unordered_set>

namespace petlab::engine {

EpochMean::EpochMean(const Adapters& adapters, const std::vector<std::vector<double>>& weights) {
  std::unordered_set<const c10::TensorImpl*> seen;
  for (std::size_t a = 0; a < adapters.parameters.size(); ++a)
    for (const sdk::NamedTensor& parameter : adapters.parameters[a])
      if (seen.insert(parameter.value.unsafeGetTensorImpl()).second && !weights[a].empty())
        sums_.push_back({parameter.value, at::zeros_like(parameter.value.detach()), weights[a]});
}

void EpochMean::add(std::int64_t epoch) {
  const at::NoGradGuard no_grad;
  for (Sum& one : sums_)
    one.sum.add_(one.parameter, one.weights.at(static_cast<std::size_t>(epoch)));
}

void EpochMean::put() {
  const at::NoGradGuard no_grad;
  for (Sum& one : sums_)
    one.parameter.copy_(one.sum);
}

std::vector<sdk::NamedTensor> EpochMean::tensors() const {
  std::vector<sdk::NamedTensor> result;
  for (std::size_t i = 0; i < sums_.size(); ++i)
    result.push_back({"epoch-mean." + std::to_string(i), sums_[i].sum});
  return result;
}

}  // namespace petlab::engine
