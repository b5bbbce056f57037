#include "petlab/engine/seeds.hpp"

#include <gtest/gtest.h>

#include <set>

namespace petlab::engine {
namespace {

TEST(DeriveSeed, KeepsPurposesApart) {
  const std::set<std::uint64_t> seeds = {
      derive_seed(1, {"a"}),      derive_seed(2, {"a"}),      derive_seed(1, {"b"}),
      derive_seed(1, {"a", "b"}), derive_seed(1, {"ab"}),     derive_seed(1, {"b", "a"}),
      derive_seed(1, {"a"}, {0}), derive_seed(1, {"a"}, {1}), derive_seed(1, {"a", ""})};
  EXPECT_EQ(seeds.size(), 9U);
}

}  // namespace
}  // namespace petlab::engine
