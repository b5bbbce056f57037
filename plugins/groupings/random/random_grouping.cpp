#include "random_grouping.hpp"

#include "petlab/sdk/grouping_support.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <limits>
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

/// Logarithms of the numbers of partitions of n elements into k non-empty groups, S(n, k), for n
/// and k up to `size`: the numbers themselves leave the range of a double at some 200 elements.
std::vector<std::vector<double>> log_stirling_numbers(std::size_t size) {
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  std::vector<std::vector<double>> s(size + 1, std::vector<double>(size + 1, kNone));
  s[0][0] = 0.0;
  for (std::size_t n = 1; n <= size; ++n) {
    for (std::size_t k = 1; k <= n; ++k) {
      const double alone = s[n - 1][k - 1];
      const double joins = std::log(static_cast<double>(k)) + s[n - 1][k];
      const double larger = std::max(alone, joins);
      s[n][k] =
          larger == kNone ? kNone : larger + std::log1p(std::exp(std::min(alone, joins) - larger));
    }
  }
  return s;
}

/// Index drawn with probability proportional to the exponentials of `logs`.
std::size_t draw_index(const std::vector<double>& logs, at::Generator& generator) {
  const double largest = *std::max_element(logs.begin(), logs.end());
  std::vector<double> weights;
  double total = 0.0;
  for (const double log : logs)
    total += weights.emplace_back(std::exp(log - largest));
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
  const double joins = std::log(static_cast<double>(k)) + s[n - 1][k];
  if (draw_index({s[n - 1][k - 1], joins}, generator) == 0) {
    sdk::Partition partition = draw_partition(n - 1, k - 1, s, generator);
    partition.push_back({element});
    return partition;
  }
  sdk::Partition partition = draw_partition(n - 1, k, s, generator);
  partition[draw_index(std::vector<double>(k, 0.0), generator)].push_back(element);
  return partition;
}

}  // namespace

RandomGrouping::RandomGrouping(const sdk::Options& options) : groups_(options.integer("groups")) {}

sdk::GroupingResult RandomGrouping::find(sdk::GroupingHost& host) const {
  sdk::check_groups(host, groups_, "random");
  const std::size_t n = host.tasks().size();
  const auto s = log_stirling_numbers(n);
  const std::size_t k =
      groups_ == 0 ? draw_index(s[n], host.generator()) : static_cast<std::size_t>(groups_);
  sdk::Partition partition = draw_partition(n, k, s, host.generator());
  std::sort(partition.begin(), partition.end());  // canonical: elements of a group ascend already
  return {.affinity = {}, .partitions = {{std::move(partition), 0.0}}};
}

}  // namespace petlab::plugins::random_grouping
