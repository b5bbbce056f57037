#include "fake_grouping_host.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>

namespace petlab::tests {
namespace {

void extend(std::int64_t element, std::int64_t n, sdk::Partition& partition,
            std::vector<sdk::Partition>& all) {
  if (element == n) {
    all.push_back(partition);
    return;
  }
  for (std::size_t group = 0; group < partition.size(); ++group) {
    partition[group].push_back(element);
    extend(element + 1, n, partition, all);
    partition[group].pop_back();
  }
  partition.push_back({element});
  extend(element + 1, n, partition, all);
  partition.pop_back();
}

double score(const sdk::Partition& partition, const at::Tensor& affinity,
             sdk::PartitionObjective objective, double tasks) {
  using enum sdk::PartitionObjective;
  const auto n = static_cast<double>(affinity.size(0));
  const double mean =
      (affinity.sum() - affinity.trace()).item<double>() / std::max(1.0, n * (n - 1.0));
  double total = 0.0;
  for (const auto& group : partition) {
    const auto size = static_cast<double>(group.size());
    if (objective == task_mean_or_self && group.size() == 1)
      total += affinity[group[0]][group[0]].item<double>() / tasks;
    for (const std::int64_t i : group)
      for (const std::int64_t j : group) {
        if (i == j) continue;
        const double pair = affinity[i][j].item<double>();
        switch (objective) {
          case pair_sum:
            total += pair / 2;
            break;
          case pair_sum_centred:
            total += (pair - mean) / 2;
            break;
          case group_density:
            total += pair / size;
            break;
          case task_mean:
          case task_mean_or_self:
            total += pair / (size - 1) / tasks;
            break;
        }
      }
  }
  return total;
}

}  // namespace

std::vector<sdk::Partition> all_partitions(std::int64_t n, std::int64_t groups) {
  std::vector<sdk::Partition> all;
  sdk::Partition partition;
  extend(0, n, partition, all);
  if (groups != 0)
    std::erase_if(all, [&](const sdk::Partition& p) {
      return static_cast<std::int64_t>(p.size()) != groups;
    });
  return all;
}

std::vector<sdk::ScoredPartition> FakeGroupingHost::search(const at::Tensor& affinity,
                                                           std::int64_t groups,
                                                           sdk::PartitionObjective objective,
                                                           std::int64_t keep) const {
  std::vector<sdk::ScoredPartition> scored;
  const auto n = static_cast<std::int64_t>(tasks_.size());
  for (const sdk::Partition& partition : all_partitions(n, groups))
    scored.push_back({partition, score(partition, affinity, objective, static_cast<double>(n))});
  std::stable_sort(scored.begin(), scored.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  if (static_cast<std::int64_t>(scored.size()) > keep)
    scored.resize(static_cast<std::size_t>(keep));
  return scored;
}

}  // namespace petlab::tests
