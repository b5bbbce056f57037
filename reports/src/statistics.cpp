#include "petlab/reports/statistics.hpp"

#include "petlab/base/error.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace petlab::reports {
namespace {

void require_values(std::span<const double> values) {
  if (values.empty()) throw base::Error(base::ErrorKind::internal, "a statistic of no values");
}

}  // namespace

double t_quantile(double probability, int degrees) {
  return boost::math::quantile(boost::math::students_t(static_cast<double>(degrees)), probability);
}

double t_quantile_975(int degrees) {
  return t_quantile(0.975, degrees);
}

Estimate estimate(std::span<const double> values) {
  require_values(values);
  const auto n = static_cast<double>(values.size());
  Estimate result;
  result.n = static_cast<int>(values.size());
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (result.n < 2) return result;
  double squares = 0.0;
  for (const double value : values)
    squares += (value - result.mean) * (value - result.mean);
  const double deviation = std::sqrt(squares / (n - 1.0));
  result.half_width = t_quantile_975(result.n - 1) * deviation / std::sqrt(n);
  return result;
}

std::optional<double> standard_error(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*high - *low <= kSameValue) return std::nullopt;
  const Estimate mean = estimate(values);
  return *mean.half_width / t_quantile_975(mean.n - 1);
}

bool leaves_range(const Estimate& value, double low, double high) {
  return value.half_width &&
         (value.mean - *value.half_width < low || value.mean + *value.half_width > high);
}

std::optional<double> paired_t_p(std::span<const double> differences) {
  const std::optional<double> error = standard_error(differences);
  if (!error) return std::nullopt;
  const Estimate mean = estimate(differences);
  const boost::math::students_t distribution(static_cast<double>(mean.n) - 1.0);
  return 2.0 *
         boost::math::cdf(boost::math::complement(distribution, std::abs(mean.mean / *error)));
}

double interval_reach(int n) {
  return t_quantile_975(n - 1) / std::sqrt(static_cast<double>(n));
}

double median(std::span<const double> values) {
  require_values(values);
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[middle];
  return 0.5 * (sorted[middle - 1] + sorted[middle]);
}

}  // namespace petlab::reports
