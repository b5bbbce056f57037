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
  double total = 0.0;
  for (const auto& group : partition)
    for (const std::int64_t i : group)
      for (const std::int64_t j : group) {
        if (i == j) continue;
        const double pair = affinity[i][j].item<double>();
        total += objective == sdk::PartitionObjective::pair_sum
                     ? pair / 2
                     : pair / static_cast<double>(group.size() - 1) / tasks;
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
