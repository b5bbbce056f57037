#include "petlab/reports/best.hpp"

#include "petlab/reports/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace petlab::reports {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::infinity();

using Scores = std::map<std::uint64_t, double>;

// Of one row less another: the mean difference, and how far the truth may be above or below it.
struct Pair {
  double mean = kUnknown;
  double reach = kUnknown;
};

// Bonferroni's point of t for so many rows, by the number of seeds; most pairs have the same.
class Points {
 public:
  explicit Points(std::size_t rows)
      : level_(1.0 - kSignificanceLevel / static_cast<double>(rows - 1)) {}

  double of(int seeds) {
    const auto [known, is_new] = points_.try_emplace(seeds, 0.0);
    if (is_new) known->second = t_quantile(level_, seeds - 1);
    return known->second;
  }

 private:
  double level_;
  std::map<int, double> points_;
};

Pair pair_of(const Scores& a, const Scores& b, Points& points) {
  std::vector<double> differences;
  for (const auto& [seed, score] : a) {
    if (const auto other = b.find(seed); other != b.end())
      differences.push_back(score - other->second);
  }
  if (differences.empty()) return {};
  const Estimate mean = estimate(differences);
  const std::optional<double> error = standard_error(differences);
  return {mean.mean, error ? points.of(mean.n) * *error : kUnknown};
}

std::optional<double> known(double value) {
  return std::isinf(value) ? std::nullopt : std::optional<double>(value);
}

}  // namespace

std::vector<BestComparison> compare_with_best(const std::vector<Scores>& scores) {
  const std::size_t rows = scores.size();
  if (rows < 2) return {};
  std::vector<std::vector<Pair>> pairs(rows, std::vector<Pair>(rows));
  std::vector<BestComparison> result(rows);
  Points points(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    double difference = kUnknown;
    double highest = kUnknown;
    for (std::size_t j = 0; j < rows; ++j) {
      if (i == j) continue;
      const Pair& pair = pairs[i][j] = pair_of(scores[i], scores[j], points);
      difference = std::min(difference, pair.mean);
      highest = std::min(highest, pair.mean + pair.reach);
    }
    result[i].difference = known(difference);
    result[i].may_be_best = highest > 0.0;
    result[i].high = known(std::max(0.0, highest));
  }
  for (std::size_t i = 0; i < rows; ++i) {
    double lowest = 0.0;
    for (std::size_t j = 0; j < rows; ++j) {
      if (i == j || !result[j].may_be_best) continue;
      const Pair& pair = pairs[i][j];
      lowest = std::isinf(pair.reach) ? -kUnknown : std::min(lowest, pair.mean - pair.reach);
    }
    result[i].low = known(lowest);
  }
  return result;
}

}  // namespace petlab::reports
