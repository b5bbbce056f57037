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
  at::Tensor one = gradients.detach().to(at::kCPU, at::kDouble);
  if (averaging_ == Averaging::momentum) {
    momentum_ = momentum_.defined() ? momentum_ * beta_ + one : one;
    one = momentum_;
  }
  if (averaging_ != Averaging::cosine_of_mean) one = pairwise_cosines(one);
  sum_ = sum_.defined() ? sum_ + one : one;
  ++steps_;
}

at::Tensor AffinityMeter::affinity() const {
  if (steps_ == 0)
    throw sdk::Error(sdk::ErrorKind::internal, "an affinity was asked for before any gradient");
  return averaging_ == Averaging::cosine_of_mean ? pairwise_cosines(sum_)
                                                 : sum_ / static_cast<double>(steps_);
}

}  // namespace petlab::plugins::gradient_grouping
