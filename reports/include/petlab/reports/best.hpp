#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

/// Multiple comparisons with the best: which rows may be the best one, and how far each is from the
/// best of the others.
namespace petlab::reports {

/// A row against the best of the others.
struct BestComparison {
  /// Mean over seeds of the row less that of the best other row: negative for all rows but one.
  /// Absent where it has no seed in common with any of them.
  std::optional<double> difference;
  /// Interval of the same in truth, mu_i - max over j != i of mu_j. Absent where an end is unknown:
  /// a pair of rows that decides it shares fewer than two seeds, or differs by the same amount with
  /// each, so that no spread was seen.
  std::optional<double> low;
  std::optional<double> high;
  /// False: another row is at least as good.
  bool may_be_best = true;
};

/// Hsu's (1984) intervals for rows that are paired by seed. `scores[i]` holds a row's value for
/// each seed. All intervals together hold the truth in at least 95 % of studies, whichever row is
/// the best and however the rows depend on each other; in as many the best row is among those that
/// may be it.
///
/// With m_ij the mean and s_ij the standard deviation of the n differences of rows i and j, and
/// d_ij = t(1 - 0.05 / (k - 1), n - 1) * s_ij / sqrt(n) for k rows (Bonferroni's bound, as the
/// variances of pairs differ): row i may be the best if m_ij + d_ij > 0 for all j; its interval
/// goes from the smaller of 0 and the least m_ij - d_ij over the other rows j that may be the best
/// (0 where there are none) to the larger of 0 and the least m_ij + d_ij. An end at 0 says that the
/// row is the best, or that it is not. One row or none has no comparisons.
std::vector<BestComparison> compare_with_best(
    const std::vector<std::map<std::uint64_t, double>>& scores);

}  // namespace petlab::reports
