#include "assignment.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/xlogy.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace petlab::plugins::dmtg_grouping {
namespace {

/// The canonical partition of an assignment of tasks to groups.
sdk::Partition partition_of(const std::vector<std::int64_t>& group_of) {
  sdk::Partition partition;
  std::vector<std::int64_t> labels;  // of the partition's groups, in the order of their first tasks
  for (std::size_t task = 0; task < group_of.size(); ++task) {
    const auto found = std::find(labels.begin(), labels.end(), group_of[task]);
    const auto group = static_cast<std::size_t>(found - labels.begin());
    if (found == labels.end()) {
      labels.push_back(group_of[task]);
      partition.emplace_back();
    }
    partition[group].push_back(static_cast<std::int64_t>(task));
  }
  return partition;
}

}  // namespace

at::Tensor gumbel_softmax(const at::Tensor& logits, double temperature, at::Generator& generator) {
  // In double: the smallest draw above 0 is then far out in the tail.
  at::Tensor uniform = at::empty(logits.sizes(), at::TensorOptions().dtype(at::kDouble));
  uniform.uniform_(0.0, 1.0, generator);
  const at::Tensor noise = -(-uniform.clamp_min_(1e-300).log()).clamp_min(1e-300).log();
  return ((logits + noise.to(logits.scalar_type()).to(logits.device())) / temperature).softmax(-1);
}

at::Tensor assignment_entropy(const at::Tensor& logits) {
  const at::Tensor p = logits.softmax(-1);
  return -(at::xlogy(p, p) + at::xlogy(1.0 - p, 1.0 - p)).sum(-1).mean();
}

std::vector<sdk::ScoredPartition> likeliest_partitions(const at::Tensor& logits,
                                                       std::int64_t keep) {
  const at::Tensor log_p = logits.detach().to(at::kCPU, at::kDouble).log_softmax(-1).contiguous();
  const auto n_tasks = static_cast<std::size_t>(log_p.size(0));
  const std::int64_t n_groups = log_p.size(1);
  const double* values = log_p.const_data_ptr<double>();
  const auto at_group = [&](std::size_t task, std::int64_t group) {
    return values[static_cast<std::int64_t>(task) * n_groups + group];
  };
  std::vector<std::int64_t> group_of(n_tasks);
  double best = 0.0;
  for (std::size_t task = 0; task < n_tasks; ++task) {
    for (std::int64_t group = 1; group < n_groups; ++group)
      if (at_group(task, group) > at_group(task, group_of[task])) group_of[task] = group;
    best += at_group(task, group_of[task]) / static_cast<double>(n_tasks);
  }

  std::vector<sdk::ScoredPartition> others;
  for (std::size_t task = 0; task < n_tasks; ++task) {
    for (std::int64_t group = 0; group < n_groups; ++group) {
      if (group == group_of[task]) continue;
      std::vector<std::int64_t> other = group_of;
      other[task] = group;
      const double change = at_group(task, group) - at_group(task, group_of[task]);
      others.push_back({partition_of(other), best + change / static_cast<double>(n_tasks)});
    }
  }
  std::stable_sort(others.begin(), others.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  std::vector<sdk::ScoredPartition> result = {{partition_of(group_of), best}};
  for (auto& other : others) {
    if (static_cast<std::int64_t>(result.size()) >= keep) break;
    const auto same = [&other](const auto& r) { return r.partition == other.partition; };
    if (std::none_of(result.begin(), result.end(), same)) result.push_back(std::move(other));
  }
  return result;
}

}  // namespace petlab::plugins::dmtg_grouping
