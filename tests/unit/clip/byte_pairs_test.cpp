#include "byte_pairs.hpp"

#include <gtest/gtest.h>

#include <random>

namespace petlab::clip {
namespace {

using PieceIds = std::vector<std::int32_t>;

TEST(BytePairs, MergesLowestRankFirstThenLeftmost) {
  BytePairs pairs;
  EXPECT_TRUE(pairs.add(1, 1, 10));
  EXPECT_TRUE(pairs.add(10, 2, 11));
  EXPECT_TRUE(pairs.add(1, 2, 12));
  EXPECT_FALSE(pairs.add(1, 1, 13));
  EXPECT_EQ(pairs.merge({1, 1, 1}), (PieceIds{10, 1}));
  EXPECT_EQ(pairs.merge({1, 1, 2}), (PieceIds{11}));
  EXPECT_EQ(pairs.merge({1, 2}), (PieceIds{12}));
  EXPECT_EQ(pairs.merge({2, 1}), (PieceIds{2, 1}));
  EXPECT_EQ(pairs.merge({7}), (PieceIds{7}));
  EXPECT_EQ(pairs.merge({}), (PieceIds{}));
}

/// The algorithm as one would say it.
PieceIds merge_slowly(PieceIds ids, const std::vector<std::array<std::int32_t, 3>>& merges) {
  while (true) {
    std::size_t best = merges.size();
    std::size_t place = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i)
      for (std::size_t m = 0; m < best; ++m)
        if (merges[m][0] == ids[i] && merges[m][1] == ids[i + 1]) {
          best = m;
          place = i;
        }
    if (best == merges.size()) return ids;
    ids[place] = merges[best][2];
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

TEST(BytePairs, EqualsThePlainAlgorithm) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    BytePairs pairs;
    std::vector<std::array<std::int32_t, 3>> merges;
    for (std::int32_t token = 3; token < 20; ++token) {
      const auto left = static_cast<std::int32_t>(random() % static_cast<unsigned>(token));
      const auto right = static_cast<std::int32_t>(random() % static_cast<unsigned>(token));
      if (pairs.add(left, right, token)) merges.push_back({left, right, token});
    }
    PieceIds ids(random() % 40);
    for (std::int32_t& id : ids)
      id = static_cast<std::int32_t>(random() % 3);
    EXPECT_EQ(pairs.merge(ids), merge_slowly(ids, merges)) << "round " << round;
  }
}

}  // namespace
}  // namespace petlab::clip
