#include "random_grouping.hpp"

#include "petlab/sdk/error.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace petlab::plugins::random_grouping {
namespace {

/// Uniform in [0, 1).
double draw(at::Generator& generator) {
  return at::empty({1}, at::TensorOptions().dtype(at::kDouble))
      .uniform_(0.0, 1.0, generator)
      .item<double>();
}

/// Numbers of partitions of n elements into k non-empty groups, S(n, k), for n and k up to `size`.
/// As doubles: only their ratios are used.
std::vector<std::vector<double>> stirling_numbers(std::size_t size) {
  std::vector<std::vector<double>> s(size + 1, std::vector<double>(size + 1, 0.0));
  s[0][0] = 1.0;
  for (std::size_t n = 1; n <= size; ++n)
    for (std::size_t k = 1; k <= n; ++k)
      s[n][k] = s[n - 1][k - 1] + static_cast<double>(k) * s[n - 1][k];
  return s;
}

/// Index drawn with probability proportional to `weights`.
std::size_t draw_index(const std::vector<double>& weights, at::Generator& generator) {
  double total = 0.0;
  for (const double weight : weights)
    total += weight;
  double rest = draw(generator) * total;
  std::size_t last = 0;  // rounding may leave a rest after the last weight
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0.0) continue;
    if (rest < weights[i]) return i;
    rest -= weights[i];
    last = i;
  }
  return last;
}

/// Uniform over the partitions of n elements into exactly k groups, by the recurrence
/// S(n, k) = S(n-1, k-1) + k S(n-1, k): the last element is alone, or joins one of k groups.
sdk::Partition draw_partition(std::size_t n, std::size_t k,
                              const std::vector<std::vector<double>>& s, at::Generator& generator) {
  if (n == 0) return {};
  const auto element = static_cast<std::int64_t>(n - 1);
  if (draw_index({s[n - 1][k - 1], static_cast<double>(k) * s[n - 1][k]}, generator) == 0) {
    sdk::Partition partition = draw_partition(n - 1, k - 1, s, generator);
    partition.push_back({element});
    return partition;
  }
  sdk::Partition partition = draw_partition(n - 1, k, s, generator);
  partition[draw_index(std::vector<double>(k, 1.0), generator)].push_back(element);
  return partition;
}

}  // namespace

RandomGrouping::RandomGrouping(const sdk::Options& options) : groups_(options.integer("groups")) {}

sdk::GroupingResult RandomGrouping::find(sdk::GroupingHost& host) const {
  const std::size_t n = host.tasks().size();
  if (groups_ > static_cast<std::int64_t>(n))
    throw sdk::Error(sdk::ErrorKind::config, "grouping 'random': option 'groups' is " +
                                                 std::to_string(groups_) + ", expected at most " +
                                                 std::to_string(n) +
                                                 ", the number of tasks (0 stands for any)");
  const auto s = stirling_numbers(n);
  const std::size_t k =
      groups_ == 0 ? draw_index(s[n], host.generator()) : static_cast<std::size_t>(groups_);
  sdk::Partition partition = draw_partition(n, k, s, host.generator());
  std::sort(partition.begin(), partition.end());  // canonical: elements of a group ascend already
  return {.affinity = {}, .partitions = {{std::move(partition), 0.0}}};
}

}  // namespace petlab::plugins::random_grouping
