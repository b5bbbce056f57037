#include "petlab/results/identity.hpp"

#include "petlab/base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::results {
namespace {

TEST(Identity, DoesNotDependOnTheOrderOfItsParts) {
  const RunIdentity one = make_identity({{"seed", "1"}, {"method", "coop"}});
  const RunIdentity other = make_identity({{"method", "coop"}, {"seed", "1"}});
  EXPECT_EQ(one.hash, other.hash);
  EXPECT_EQ(one.parts, other.parts);
  EXPECT_EQ(one.parts.front().first, "method");
}

TEST(Identity, ChangesWithEveryByte) {
  const std::string hash = make_identity({{"seed", "1"}}).hash;
  EXPECT_NE(make_identity({{"seed", "2"}}).hash, hash);
  EXPECT_NE(make_identity({{"seed", "1 "}}).hash, hash);
  EXPECT_NE(make_identity({{"Seed", "1"}}).hash, hash);
  EXPECT_NE(make_identity({{"seed", "1"}, {"x", ""}}).hash, hash);
}

TEST(Identity, KeepsPartsApartThatLookAlikeWhenJoined) {
  EXPECT_NE(make_identity({{"a", "1\n1:b=1:2"}}).hash,
            make_identity({{"a", "1"}, {"b", "2"}}).hash);
  EXPECT_NE(make_identity({{"a=1:b", ""}}).hash, make_identity({{"a", "b"}}).hash);
}

TEST(Identity, RefusesAPartThatOccursTwiceOrHasNoName) {
  EXPECT_THROW(make_identity({{"seed", "1"}, {"seed", "2"}}), base::Error);
  EXPECT_THROW(make_identity({{"", "1"}}), base::Error);
}

TEST(UtcNow, IsIso8601WithZ) {
  EXPECT_THAT(utc_now(), testing::MatchesRegex("....-..-..T..:..:..Z"));
}

}  // namespace
}  // namespace petlab::results
