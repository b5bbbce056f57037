#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace petlab::plugins::gradient_grouping {

/// Cosines between the rows of `gradients` [n_tasks, n_parameters]: [n_tasks, n_tasks], fp64 on the
/// CPU, with ones on the diagonal. A row of zeros has no direction: its cosines are 0.
[[nodiscard]] at::Tensor pairwise_cosines(const at::Tensor& gradients);

/// How the gradients of many steps become one affinity.
enum class Averaging {
  mean_of_cosines,  ///< each step counts the same, however long its gradients are
  cosine_of_mean,   ///< of the gradients summed over the steps: long gradients count more
  momentum,         ///< mean over steps t of the cosines of m_t = beta m_(t-1) + g_t
};

/// Affinity of tasks from their gradients over many steps.
class AffinityMeter {
 public:
  /// `beta` is used by Averaging::momentum alone.
  explicit AffinityMeter(Averaging averaging, double beta = 0.0)
      : averaging_(averaging), beta_(beta) {}

  /// Takes the gradients of one step, [n_tasks, n_parameters].
  void add(const at::Tensor& gradients);

  /// [n_tasks, n_tasks] fp64. At least one step must have been added.
  [[nodiscard]] at::Tensor affinity() const;

 private:
  Averaging averaging_;
  double beta_;
  at::Tensor sum_;       // of cosines or of gradients, fp64
  at::Tensor momentum_;  // [n_tasks, n_parameters], fp64
  std::int64_t steps_ = 0;
};

}  // namespace petlab::plugins::gradient_grouping
