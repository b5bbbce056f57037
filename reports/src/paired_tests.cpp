#include "petlab/reports/paired_tests.hpp"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace petlab::reports {
namespace {

constexpr double kSameValue = 1e-12;
constexpr int kLargestExact = 50;  // 2^50 sign patterns still count exactly in a double

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

// How many of the 2^n sign patterns give each doubled sum of positive ranks.
std::vector<double> sum_counts(const std::vector<int>& ranks) {
  const int total = std::accumulate(ranks.begin(), ranks.end(), 0);
  std::vector<double> counts(static_cast<std::size_t>(total) + 1, 0.0);
  counts[0] = 1.0;
  for (const int rank : ranks) {
    for (std::size_t sum = counts.size(); sum-- > static_cast<std::size_t>(rank);)
      counts[sum] += counts[sum - static_cast<std::size_t>(rank)];
  }
  return counts;
}

double exact_p(const std::vector<int>& ranks, double smaller_sum) {
  const std::vector<double> counts = sum_counts(ranks);
  const auto end = static_cast<std::ptrdiff_t>(std::lround(2.0 * smaller_sum)) + 1;
  const double tail = std::accumulate(counts.begin(), counts.begin() + end, 0.0);
  return std::min(1.0, 2.0 * std::ldexp(tail, -static_cast<int>(ranks.size())));
}

double normal_p(int n, double smaller_sum, double tie_term) {
  const double count = n;
  const double mean = count * (count + 1.0) / 4.0;
  const double variance = (count * (count + 1.0) * (2.0 * count + 1.0) - 0.5 * tie_term) / 24.0;
  const double z = (smaller_sum - mean) / std::sqrt(variance);
  return std::min(1.0, 2.0 * boost::math::cdf(boost::math::normal(), -std::abs(z)));
}

}  // namespace

double mcnemar_p(std::int64_t first, std::int64_t second) {
  const std::int64_t n = first + second;
  if (n == 0) return 1.0;
  const boost::math::binomial coin(static_cast<double>(n), 0.5);
  return std::min(1.0, 2.0 * boost::math::cdf(coin, static_cast<double>(std::min(first, second))));
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
  result.p = result.exact ? exact_p(doubled.ranks, smaller)
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
