#include "petlab/reports/paired_tests.hpp"

#include "petlab/reports/statistics.hpp"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace petlab::reports {
namespace {

constexpr int kLargestExact = 50;
constexpr std::int64_t kLargestExactSum = 20000;

// Ranks from 1 of values in ascending order, twice as large so that mean ranks are whole numbers.
struct DoubledRanks {
  std::vector<int> ranks;
  double tie_term = 0.0;  // sum of t^3 - t over groups of t equal values
};

DoubledRanks doubled_ranks(const std::vector<double>& sorted) {
  DoubledRanks result;
  for (std::size_t first = 0; first < sorted.size();) {
    std::size_t last = first;
    while (last + 1 < sorted.size() && sorted[last + 1] - sorted[last] <= kSameValue)
      ++last;
    const auto size = static_cast<double>(last - first + 1);
    result.tie_term += size * size * size - size;
    for (std::size_t i = first; i <= last; ++i)
      result.ranks.push_back(static_cast<int>(first + last + 2));
    first = last + 1;
  }
  return result;
}

// The chance of each sum of positive weights when a fair coin gives each weight its sign. All
// chances are multiples of 2^-n: exact up to 50 weights, and to rounding beyond.
std::vector<double> sum_chances(const std::vector<int>& weights) {
  std::vector<double> chances = {1.0};
  for (const int weight : weights) {
    const auto step = static_cast<std::size_t>(weight);
    chances.resize(chances.size() + step, 0.0);
    for (std::size_t sum = chances.size(); sum-- > 0;)
      chances[sum] = 0.5 * (chances[sum] + (sum >= step ? chances[sum - step] : 0.0));
  }
  return chances;
}

double two_sided(const std::vector<int>& weights, int smaller_sum) {
  const std::vector<double> chances = sum_chances(weights);
  return std::min(1.0,
                  2.0 * std::accumulate(chances.begin(), chances.begin() + smaller_sum + 1, 0.0));
}

double normal_tails(double z) {
  return std::min(1.0, 2.0 * boost::math::cdf(boost::math::normal(), -std::abs(z)));
}

double normal_p(int n, double smaller_sum, double tie_term) {
  const double count = n;
  const double mean = count * (count + 1.0) / 4.0;
  const double variance = (count * (count + 1.0) * (2.0 * count + 1.0) - 0.5 * tie_term) / 24.0;
  return normal_tails((smaller_sum - mean) / std::sqrt(variance));
}

}  // namespace

double mcnemar_p(std::int64_t first, std::int64_t second) {
  const std::int64_t n = first + second;
  if (n == 0) return 1.0;
  const boost::math::binomial coin(static_cast<double>(n), 0.5);
  return std::min(1.0, 2.0 * boost::math::cdf(coin, static_cast<double>(std::min(first, second))));
}

double clustered_mcnemar_p(std::span<const int> differences) {
  std::vector<int> weights;
  std::int64_t positive = 0;
  std::int64_t total = 0;
  double squares = 0.0;
  for (const int difference : differences) {
    if (difference == 0) continue;
    weights.push_back(std::abs(difference));
    total += std::abs(difference);
    if (difference > 0) positive += difference;
    squares += static_cast<double>(difference) * difference;
  }
  if (weights.empty()) return 1.0;
  const std::int64_t negative = total - positive;
  if (total > kLargestExactSum)
    return normal_tails(static_cast<double>(positive - negative) / std::sqrt(squares));
  return two_sided(weights, static_cast<int>(std::min(positive, negative)));
}

std::optional<SignedRanks> signed_ranks(std::span<const double> differences) {
  std::vector<double> nonzero;
  for (const double difference : differences) {
    if (std::abs(difference) > kSameValue) nonzero.push_back(difference);
  }
  if (nonzero.empty()) return std::nullopt;
  std::sort(nonzero.begin(), nonzero.end(),
            [](double a, double b) { return std::abs(a) < std::abs(b); });
  std::vector<double> sizes;
  for (const double difference : nonzero)
    sizes.push_back(std::abs(difference));
  const DoubledRanks doubled = doubled_ranks(sizes);

  SignedRanks result;
  result.n = static_cast<int>(nonzero.size());
  result.zeros = static_cast<int>(differences.size() - nonzero.size());
  for (std::size_t i = 0; i < nonzero.size(); ++i)
    (nonzero[i] > 0.0 ? result.positive : result.negative) += 0.5 * doubled.ranks[i];
  result.exact = result.n <= kLargestExact;
  const double smaller = std::min(result.positive, result.negative);
  result.p = result.exact ? two_sided(doubled.ranks, static_cast<int>(std::lround(2.0 * smaller)))
                          : normal_p(result.n, smaller, doubled.tie_term);
  return result;
}

double smallest_signed_rank_p(int n) {
  return std::min(1.0, std::ldexp(2.0, -n));
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> corrected(p.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, static_cast<double>(order.size() - i) * p[order[i]]);
    corrected[order[i]] = std::min(1.0, largest);
  }
  return corrected;
}

}  // namespace petlab::reports
