#pragma once

#include <optional>
#include <string>
#include <vector>

/// Ranks of several methods over several tasks: Friedman's test and Nemenyi's critical difference
/// (Demsar, JMLR 2006). They need many tasks; rank_methods() says so where there are too few.
namespace petlab::reports {

/// P(Q > q) of the studentised range of k >= 2 values with infinite degrees of freedom.
double studentized_range_p(double q, int k);

/// The q that the studentised range of k >= 2 values exceeds with a probability of 5 %.
double studentized_range_95(int k);

/// Nemenyi's critical difference of mean ranks at 5 %, k >= 2 methods over n >= 1 tasks:
/// studentized_range_95(k) / sqrt(2) * sqrt(k (k + 1) / (6 n)).
double critical_difference(int k, int n);

/// Below this many tasks no pairwise verdict is given: even a method that is better on every one of
/// n tasks has p = 2 / 2^n in an exact sign or signed-rank test, which is under 5 % only from 6 on.
constexpr int kFewestTasks = 6;

struct Ranking {
  std::vector<double> mean_ranks;  // of the methods in the order given; 1 is best, ties share
  double chi_square = 0.0;         // Friedman's statistic, corrected for ties
  double p = 1.0;                  // of it, chi-square with k - 1 degrees of freedom
  double iman_davenport_p = 1.0;   // of the F statistic made of it, which is less conservative
  double critical_difference = 0.0;
  /// Methods that cannot be told from each other: maximal runs of neighbours in rank whose mean
  /// ranks differ by the critical difference or less, as indices, best first. Only of two or more.
  std::vector<std::vector<std::size_t>> groups;
};

struct RankAnalysis {
  int tasks = 0;
  int methods = 0;
  std::optional<Ranking> ranking;  // absent where there are too few tasks or methods
  std::string statement;           // one plain sentence: the outcome, or why there is none
};

/// `scores[task][method]`, larger is better; each task has one score a method (seeds averaged
/// before, as seeds of one task are not independent tasks). Needs at least kFewestTasks tasks and
/// three methods.
RankAnalysis rank_methods(const std::vector<std::vector<double>>& scores);

}  // namespace petlab::reports
