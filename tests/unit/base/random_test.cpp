#include "petlab/base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace petlab::base {
namespace {

// Steele, Lea and Flood's generator, seed 1234567: the values of its reference implementation.
TEST(SplitMix64, GivesThePublishedNumbers) {
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.next(), 9817491932198370423ULL);
}

TEST(SplitMix64, IsFairBelowABound) {
  SplitMix64 random(1);
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

TEST(Shuffle, KeepsEveryValueAndTheSameOrderForASeed) {
  std::vector<int> one(100);
  std::iota(one.begin(), one.end(), 0);
  std::vector<int> other = one;
  const std::vector<int> sorted = one;
  SplitMix64 first(7), second(7);
  shuffle(one, first);
  shuffle(other, second);
  EXPECT_EQ(one, other);
  EXPECT_NE(one, sorted);
  std::sort(one.begin(), one.end());
  EXPECT_EQ(one, sorted);
}

// Fowler, Noll and Vo's test vectors of the 64-bit FNV-1a.
TEST(HashName, IsFnv1a) {
  EXPECT_EQ(hash_name(""), 0xCBF29CE484222325ULL);
  EXPECT_EQ(hash_name("a"), 0xAF63DC4C8601EC8CULL);
  EXPECT_EQ(hash_name("foobar"), 0x85944171F73967E8ULL);
  EXPECT_EQ(hash_name("bar", hash_name("foo")), hash_name("foobar"));
}

}  // namespace
}  // namespace petlab::base
