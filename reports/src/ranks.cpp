#include "petlab/reports/ranks.hpp"

#include "numbers.hpp"
#include "petlab/reports/statistics.hpp"

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/normal.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace petlab::reports {
namespace {

constexpr int kFewestMethods = 3;

struct TaskRanks {
  std::vector<double> ranks;
  double tie_term = 0.0;  // sum of t^3 - t over groups of t equal scores
};

TaskRanks ranks_of(const std::vector<double>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  TaskRanks result{std::vector<double>(scores.size()), 0.0};
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && scores[order[last]] - scores[order[last + 1]] <= kSameValue)
      ++last;
    const auto size = static_cast<double>(last - first + 1);
    result.tie_term += size * size * size - size;
    for (std::size_t i = first; i <= last; ++i)
      result.ranks[order[i]] = 0.5 * static_cast<double>(first + last) + 1.0;
    first = last + 1;
  }
  return result;
}

std::vector<std::vector<std::size_t>> groups_of(const std::vector<double>& mean_ranks,
                                                double critical) {
  std::vector<std::size_t> order(mean_ranks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return mean_ranks[a] < mean_ranks[b]; });
  std::vector<std::vector<std::size_t>> groups;
  std::size_t covered = 0;  // end of the last group: a run inside it says nothing new
  for (std::size_t first = 0; first < order.size(); ++first) {
    std::size_t end = first + 1;
    while (end < order.size() && mean_ranks[order[end]] - mean_ranks[order[first]] <= critical)
      ++end;
    if (end - first < 2 || end <= covered) continue;
    groups.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(first),
                        order.begin() + static_cast<std::ptrdiff_t>(end));
    covered = end;
  }
  return groups;
}

Ranking ranking_of(const std::vector<std::vector<double>>& scores) {
  const auto n = static_cast<double>(scores.size());
  const std::size_t methods = scores.front().size();
  const auto k = static_cast<double>(methods);
  Ranking result;
  result.mean_ranks.assign(methods, 0.0);
  double tie_term = 0.0;
  for (const auto& task : scores) {
    const TaskRanks ranks = ranks_of(task);
    tie_term += ranks.tie_term;
    for (std::size_t m = 0; m < methods; ++m)
      result.mean_ranks[m] += ranks.ranks[m];
  }
  for (double& rank : result.mean_ranks)
    rank /= n;
  double squares = 0.0;
  for (const double rank : result.mean_ranks)
    squares += (rank - 0.5 * (k + 1.0)) * (rank - 0.5 * (k + 1.0));
  const double untied = 1.0 - tie_term / (n * k * (k * k - 1.0));
  // All methods equal on all tasks: nothing to tell apart.
  if (untied > 0.0) {
    result.chi_square = 12.0 * n / (k * (k + 1.0)) * squares / untied;
    result.p = boost::math::cdf(
        boost::math::complement(boost::math::chi_squared(k - 1.0), result.chi_square));
    const double rest = n * (k - 1.0) - result.chi_square;
    if (rest > kSameValue) {
      const double f = (n - 1.0) * result.chi_square / rest;
      const boost::math::fisher_f distribution(k - 1.0, (k - 1.0) * (n - 1.0));
      result.iman_davenport_p = boost::math::cdf(boost::math::complement(distribution, f));
    } else {
      result.iman_davenport_p = 0.0;  // the same order on every task
    }
  }
  result.critical_difference =
      critical_difference(static_cast<int>(methods), static_cast<int>(scores.size()));
  result.groups = groups_of(result.mean_ranks, result.critical_difference);
  return result;
}

std::string statement_of(const RankAnalysis& analysis) {
  const std::string tasks =
      std::to_string(analysis.tasks) + (analysis.tasks == 1 ? " task" : " tasks");
  if (analysis.methods < kFewestMethods)
    return "Mean ranks need at least three rows with results on every task: here there are " +
           std::to_string(analysis.methods) + ".";
  if (!analysis.ranking)
    return "No critical-difference diagram: " + tasks + (analysis.tasks == 1 ? " is" : " are") +
           " too few. Even a row that is best on each "
           "of them would have p = " +
           fixed(std::ldexp(2.0, -analysis.tasks), 3) + " in an exact test over tasks; it takes " +
           std::to_string(kFewestTasks) + " tasks to get below 0.05.";
  const Ranking& ranking = *analysis.ranking;
  std::string text = "Friedman over " + tasks + " and " + std::to_string(analysis.methods) +
                     " rows: chi-square " + fixed(ranking.chi_square, 2) + ", " +
                     p_text(ranking.p) + "; Nemenyi's critical difference of mean ranks is " +
                     fixed(ranking.critical_difference, 2);
  if (ranking.critical_difference >= analysis.methods - 1.0)
    return text +
           ", more than ranks can differ at all: with so few tasks no two rows can be told "
           "apart by it.";
  return text + ".";
}

}  // namespace

double studentized_range_p(double q, int k) {
  if (q <= 0.0) return 1.0;
  // P(Q < q) = k * integral of phi(z) (Phi(z) - Phi(z - q))^(k-1) dz, by Simpson's rule. Outside
  // of [-8, 8 + q] the integrand is under 1e-14.
  const boost::math::normal normal;
  constexpr int kSteps = 2000;
  const double low = -8.0;
  const double width = (16.0 + q) / kSteps;
  double sum = 0.0;
  for (int i = 0; i <= kSteps; ++i) {
    const double z = low + width * i;
    const double inside = boost::math::cdf(normal, z) - boost::math::cdf(normal, z - q);
    const double value = boost::math::pdf(normal, z) * std::pow(inside, k - 1);
    const bool end = i == 0 || i == kSteps;
    sum += value * (end ? 1.0 : (i % 2 == 1 ? 4.0 : 2.0));
  }
  return std::clamp(1.0 - k * sum * width / 3.0, 0.0, 1.0);
}

double studentized_range_95(int k) {
  double low = 0.0;
  double high = 20.0;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (studentized_range_p(middle, k) > 0.05 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

double critical_difference(int k, int n) {
  const double methods = k;
  return studentized_range_95(k) / std::sqrt(2.0) *
         std::sqrt(methods * (methods + 1.0) / (6.0 * n));
}

RankAnalysis rank_methods(const std::vector<std::vector<double>>& scores) {
  RankAnalysis result;
  result.tasks = static_cast<int>(scores.size());
  result.methods = scores.empty() ? 0 : static_cast<int>(scores.front().size());
  if (result.tasks >= kFewestTasks && result.methods >= kFewestMethods)
    result.ranking = ranking_of(scores);
  result.statement = statement_of(result);
  return result;
}

}  // namespace petlab::reports
