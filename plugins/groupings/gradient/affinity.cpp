#include "affinity.hpp"

#include "petlab/sdk/error.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

namespace petlab::plugins::gradient_grouping {

at::Tensor pairwise_cosines(const at::Tensor& gradients) {
  const at::Tensor rows = gradients.detach().to(at::kCPU, at::kDouble);
  const at::Tensor norms = rows.norm(2, {1}, /*keepdim=*/true);
  const at::Tensor directions = at::where(norms > 0, rows / norms, at::zeros_like(rows));
  at::Tensor cosines = directions.mm(directions.t());
  cosines.fill_diagonal_(1.0);
  return cosines;
}

void AffinityMeter::add(const at::Tensor& gradients) {
  const at::Tensor one = averaging_ == Averaging::mean_of_cosines
                             ? pairwise_cosines(gradients)
                             : gradients.detach().to(at::kCPU, at::kDouble);
  sum_ = sum_.defined() ? sum_ + one : one;
  ++steps_;
}

at::Tensor AffinityMeter::affinity() const {
  if (steps_ == 0)
    throw sdk::Error(sdk::ErrorKind::internal, "an affinity was asked for before any gradient");
  return averaging_ == Averaging::mean_of_cosines ? sum_ / static_cast<double>(steps_)
                                                  : pairwise_cosines(sum_);
}

}  // namespace petlab::plugins::gradient_grouping
