#pragma once

#include <optional>
#include <span>

namespace petlab::reports {

/// What a test's error may be, and 1 less an interval's coverage.
inline constexpr double kSignificanceLevel = 0.05;

/// Accuracies and p-values that are nearer are the same number: what sums in another order leave.
inline constexpr double kSameValue = 1e-12;

/// A mean over n independent values with its two-sided 95 % interval from Student's t.
struct Estimate {
  double mean = 0.0;
  /// Half the width of the interval: t(0.975, n - 1) * s / sqrt(n), s with n - 1 in the
  /// denominator. Absent for n = 1, where nothing is known about the spread.
  std::optional<double> half_width;
  int n = 0;

  /// True if there is an interval and it does not hold 0.
  bool excludes_zero() const {
    return half_width && (mean - *half_width > 0.0 || mean + *half_width < 0.0);
  }
};

/// The value that a t-distributed number with `degrees` degrees of freedom stays under with this
/// probability, over 0 and under 1. `degrees` is at least 1.
double t_quantile(double probability, int degrees);

/// The value that a t-distributed number with `degrees` degrees of freedom exceeds with a
/// probability of 2.5 %. `degrees` is at least 1.
double t_quantile_975(int degrees);

/// Of at least one value; throws Error(internal) for none.
Estimate estimate(std::span<const double> values);

/// Of the mean of these values: s / sqrt(n). Absent for fewer than two values, and where all are
/// the same: no spread was seen.
std::optional<double> standard_error(std::span<const double> values);

/// An interval of a number that cannot leave `low` to `high`, and does: with so few values it says
/// nothing that a reader could use.
bool leaves_range(const Estimate& value, double low, double high);

/// Two-sided p value of Student's t for "the mean of these differences is 0": the paired t-test.
/// Absent for fewer than two values, and where all values are the same: no spread was seen, so
/// there is nothing to measure the mean against.
std::optional<double> paired_t_p(std::span<const double> differences);

/// How far the 95 % t-interval of a mean over n >= 2 values reaches, in standard deviations of one
/// value: t(0.975, n - 1) / sqrt(n). 2.48 for three, 1.24 for five.
double interval_reach(int n);

/// Of at least one value: the middle one, or the mean of the two in the middle.
double median(std::span<const double> values);

}  // namespace petlab::reports
