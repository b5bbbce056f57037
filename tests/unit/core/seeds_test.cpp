#include "petlab/core/seeds.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace petlab::core {
namespace {

// Steele, Lea and Flood's generator, seed 1234567: the values of its reference implementation.
TEST(Random, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.next(), 9817491932198370423ULL);
}

TEST(Random, IsFairBelowABound) {
  Random random(1);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i)
    ++counts.at(random.below(6));
  for (const int count : counts)
    EXPECT_NEAR(count, 10000, 400);
  for (int i = 0; i < 1000; ++i) {
    const double value = random.uniform();
    EXPECT_GE(value, 0.0);
    EXPECT_LT(value, 1.0);
  }
}

TEST(DeriveSeed, KeepsPurposesApart) {
  const std::set<std::uint64_t> seeds = {
      derive_seed(1, {"a"}),      derive_seed(2, {"a"}),      derive_seed(1, {"b"}),
      derive_seed(1, {"a", "b"}), derive_seed(1, {"ab"}),     derive_seed(1, {"b", "a"}),
      derive_seed(1, {"a"}, {0}), derive_seed(1, {"a"}, {1}), derive_seed(1, {"a", ""})};
  EXPECT_EQ(seeds.size(), 9U);
}

}  // namespace
}  // namespace petlab::core
