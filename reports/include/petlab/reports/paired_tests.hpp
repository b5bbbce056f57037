#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Tests on pairs. All p values are two-sided.
namespace petlab::reports {

/// Exact McNemar test: of the images on which exactly one of two is right, the first is right on
/// `first` and the other on `second`. p of a fair coin that shows such a split or one less even;
/// 1 where both are 0.
double mcnemar_p(std::int64_t first, std::int64_t second);

/// McNemar's test where each image was tested with several seeds: `differences` holds, for each
/// image, in how many seeds the first was right less in how many the second was. If nothing but
/// chance tells the two apart, each image's difference might as well have the other sign: p is the
/// share of all sign patterns whose sum is as far from 0. Answers of one image over seeds stay
/// together, so they are not taken for independent. With one seed it is mcnemar_p(). Exact up to a
/// sum of |difference| of 20,000; beyond it sum^2 / (sum of squares) is chi-square with one degree
/// of freedom (Durkalski et al. 2003), and the two agree to three digits.
double clustered_mcnemar_p(std::span<const int> differences);

/// Wilcoxon's signed-rank test of differences.
struct SignedRanks {
  int n = 0;              // differences that are not 0
  int zeros = 0;          // those that are: left out (SciPy's zero_method "wilcox")
  double positive = 0.0;  // rank sums; equal differences share their mean rank
  double negative = 0.0;
  double p = 1.0;
  /// True: p is exact given the ranks, ties included (all 2^n signs are counted; SciPy's "exact"
  /// where there are no ties, its PermutationMethod where there are). False: the normal
  /// approximation with SciPy's correction for ties and none for continuity, for n > 50.
  bool exact = true;
};

/// Nothing where all differences are 0. Differences that differ by 1e-12 or less count as equal.
std::optional<SignedRanks> signed_ranks(std::span<const double> differences);

/// The smallest p that n differences without zeros and ties can reach in signed_ranks(), 2 / 2^n.
double smallest_signed_rank_p(int n);

/// Holm's step-down correction for a family of p values, in the order given: a family-wise error
/// of 5 % when corrected values under 0.05 are called real. At most 1.
std::vector<double> holm(std::span<const double> p);

}  // namespace petlab::reports
