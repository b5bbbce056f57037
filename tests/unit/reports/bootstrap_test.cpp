#include "petlab/reports/bootstrap.hpp"

#include "petlab/base/error.hpp"

#include <gtest/gtest.h>

namespace petlab::reports {
namespace {

std::vector<ImagePair> images(const std::vector<std::pair<int, int>>& difference_and_count,
                              int seeds = 1) {
  std::vector<ImagePair> result;
  for (const auto& [difference, count] : difference_and_count)
    result.insert(result.end(), static_cast<std::size_t>(count), ImagePair{difference, seeds});
  return result;
}

// An independent implementation in Python gives the same; the first is also the published one.
TEST(SplitMix, GivesThePublishedNumbers) {
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317U);
  EXPECT_EQ(random.next(), 3203168211198807973U);
  EXPECT_EQ(random.next(), 9817491932198370423U);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LT(random.below(7), 7U);
    const double unit = random.unit();
    EXPECT_TRUE(unit >= 0.0 && unit < 1.0);
  }
}

// SciPy 1.17: stats.bootstrap((d,), np.mean, method="percentile", n_resamples=200000), rng 1 and 2
// agree in all digits: resampled means are multiples of 1/n.
TEST(PairedBootstrap, GivesSciPysPercentiles) {
  const auto one = paired_bootstrap({images({{1, 9}, {-1, 3}, {0, 38}})}, 200000);
  EXPECT_NEAR(one.mean, 0.12, 1e-15);
  EXPECT_NEAR(one.low, 0.0, 1e-12);
  EXPECT_NEAR(one.high, 0.26, 1e-12);
  EXPECT_EQ(one.images, 50);
  EXPECT_FALSE(one.excludes_zero());
  const auto two =
      paired_bootstrap({images({{2, 30}, {-1, 25}, {1, 60}, {0, 200}, {-2, 8}}, 2)}, 50000);
  EXPECT_NEAR(two.mean, 0.12229102167182662, 1e-15);
  EXPECT_NEAR(two.low, 0.07739938080495357, 0.0016);  // a step of the means is 1/646
  EXPECT_NEAR(two.high, 0.16718266253869968, 0.0016);
  EXPECT_TRUE(two.excludes_zero());
}

TEST(PairedBootstrap, CountsTasksTheSameWhateverTheirSize) {
  const auto result = paired_bootstrap({images({{1, 10}}), images({{-1, 1000}}), {}});
  EXPECT_NEAR(result.mean, 0.0, 1e-15);
  EXPECT_EQ(result.images, 1010);
  // No image of a task differs from its neighbours, so resampling changes nothing.
  EXPECT_NEAR(result.low, 0.0, 1e-15);
  EXPECT_NEAR(result.high, 0.0, 1e-15);
}

TEST(PairedBootstrap, TakesSeedsOfAnImageTogether) {
  // The same answers five times over say no more about other pictures than once.
  const auto once = paired_bootstrap({images({{1, 20}, {-1, 10}, {0, 70}})});
  const auto five = paired_bootstrap({images({{5, 20}, {-5, 10}, {0, 70}}, 5)});
  EXPECT_EQ(once.low, five.low);
  EXPECT_EQ(once.high, five.high);
}

TEST(PairedBootstrap, IsTheSameEachTime) {
  const std::vector<std::vector<ImagePair>> tasks = {images({{1, 40}, {-1, 20}, {0, 140}}),
                                                     images({{1, 12}, {-1, 15}, {0, 73}})};
  const auto first = paired_bootstrap(tasks, 2000, 7);
  const auto again = paired_bootstrap(tasks, 2000, 7);
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
  EXPECT_LT(first.low, first.mean);
  EXPECT_GT(first.high, first.mean);
}

TEST(PairedBootstrap, RefusesNoImages) {
  EXPECT_THROW(paired_bootstrap({}), base::Error);
  EXPECT_THROW(paired_bootstrap({{}, {}}), base::Error);
}

}  // namespace
}  // namespace petlab::reports
