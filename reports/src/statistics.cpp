#include "petlab/reports/statistics.hpp"

#include "petlab/sdk/error.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace petlab::reports {
namespace {

void require_values(std::span<const double> values) {
  if (values.empty()) throw sdk::Error(sdk::ErrorKind::internal, "a statistic of no values");
}

}  // namespace

double t_quantile_975(int degrees) {
  return boost::math::quantile(boost::math::students_t(static_cast<double>(degrees)), 0.975);
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

double median(std::span<const double> values) {
  require_values(values);
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[middle];
  return 0.5 * (sorted[middle - 1] + sorted[middle]);
}

}  // namespace petlab::reports
