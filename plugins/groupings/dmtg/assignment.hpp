#pragma once

#include "petlab/sdk/grouping.hpp"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace petlab::plugins::dmtg_grouping {

/// Gumbel-softmax (Jang et al. 2017): softmax((logits + g) / temperature) over the last dimension
/// with g = -log(-log(u)), u uniform on (0, 1) from `generator`. Differentiable in the logits.
[[nodiscard]] at::Tensor gumbel_softmax(const at::Tensor& logits, double temperature,
                                        at::Generator& generator);

/// Mean over tasks of the summed binary entropies of a task's group probabilities: lowest when each
/// task is sure of its group. `logits` [n_tasks, n_groups].
[[nodiscard]] at::Tensor assignment_entropy(const at::Tensor& logits);

/// Partitions that the logits stand for, best first, at most `keep`: each task in its likeliest
/// group (the first of equals), empty groups dropped; then those with one task elsewhere. Scored by
/// the mean over tasks of the log-probability of their group.
[[nodiscard]] std::vector<sdk::ScoredPartition> likeliest_partitions(const at::Tensor& logits,
                                                                     std::int64_t keep);

}  // namespace petlab::plugins::dmtg_grouping
