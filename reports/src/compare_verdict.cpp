#include "compare_verdict.hpp"

#include "numbers.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::reports {
namespace {

// A digit more where the number is small.
std::string points(double fraction) {
  const double value = 100.0 * std::abs(fraction);
  return fixed(value, value < 0.995 ? 2 : 1) + " points";
}

std::string seeds_text(const CompareResult& result) {
  return std::to_string(result.difference.n) + (result.difference.n == 1 ? " seed" : " seeds");
}

std::string pictures_text(const CompareResult& result) {
  return grouped_digits(result.tested_pictures) + " images";
}

// "coop is 1.2 points better than zero-shot".
std::string claim(const CompareResult& result) {
  const double mean = result.difference.mean;
  if (std::abs(mean) < 1e-12) return result.a + " and " + result.b + " are equally accurate";
  return result.a + " is " + points(mean) + (mean > 0.0 ? " better" : " worse") + " than " +
         result.b;
}

// All numbers but the first are of this difference, with its sign.
std::string less(const CompareResult& result) {
  return result.a + " less " + result.b + ": ";
}

std::string over_seeds(const CompareResult& result) {
  const double mean = result.difference.mean;
  const double half = *result.difference.half_width;
  const std::string interval = mean - half < -1.0 || mean + half > 1.0
                                   ? "no 95 % interval, as it would leave -100 to 100,"
                                   : "95 % interval " + interval_text(mean - half, mean + half);
  return less(result) + interval + " over " + seeds_text(result) + ", paired; " +
         p_text(*result.seeds_p);
}

std::string over_pictures(const CompareResult& result) {
  return interval_text(result.pictures.low, result.pictures.high);
}

std::string one_pair(const CompareResult& result) {
  const std::string facts = " (" + less(result) + "95 % interval " + over_pictures(result) +
                            " by paired bootstrap over images; McNemar's " + p_text(result.wins.p) +
                            ")";
  const std::string on = " on the same " + pictures_text(result);
  if (result.pictures.excludes_zero()) {
    return claim(result) + on + facts +
           ": these two trained models differ. With one seed this says nothing about the methods: "
           "another seed may turn it round.";
  }
  return claim(result) + on + facts +
         ": the difference is not significant, and one seed says nothing about the methods.";
}

std::string without_spread(const CompareResult& result) {
  std::string text = claim(result) + " with each of " + seeds_text(result) +
                     ", always by exactly the same, so seeds leave nothing to test. Over the " +
                     pictures_text(result) + " the 95 % interval of " + result.a + " less " +
                     result.b + " is " + over_pictures(result);
  return text + (result.pictures.excludes_zero()
                     ? ": the difference is significant on images like these."
                     : ": the difference is not significant.");
}

}  // namespace

std::string interval_text(double low, double high) {
  const double widest = 100.0 * std::max(std::abs(low), std::abs(high));
  const int places = widest < 0.995 ? 2 : 1;
  return fixed(100.0 * low, places) + " to " + fixed(100.0 * high, places);
}

std::string verdict_of(const CompareResult& result) {
  if (result.disagreements.empty()) {
    return result.a + " and " + result.b + " gave the same answer to each of the " +
           pictures_text(result) + ": there is no difference to test.";
  }
  if (result.difference.n == 1) return one_pair(result);
  if (!result.seeds_p) return without_spread(result);
  const bool real = *result.seeds_p < 0.05;
  const std::string again = "Over images (bootstrap, " + pictures_text(result) +
                            ") the interval is " + over_pictures(result);
  if (real) {
    const std::string text = claim(result) + " on these test images (" + over_seeds(result) +
                             "): the difference is significant. " + again;
    return text + (result.pictures.excludes_zero()
                       ? ": expect it on other images of this kind too."
                       : ": whether it holds on other images of this kind is open.");
  }
  const std::string text = claim(result) + " on these test images (" + over_seeds(result) +
                           "): the difference is not significant with " + seeds_text(result) +
                           ". " + again;
  return text +
         (result.pictures.excludes_zero()
              ? ": these trained models do differ, but the next seed may say otherwise; more "
                "seeds can settle it."
              : ".");
}

}  // namespace petlab::reports
