#include "petlab/base/suggestion.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace petlab::base {
namespace {

const std::vector<std::string> kKnown = {"learning-rate", "momentum", "optimizer"};

TEST(Suggestion, NamesTheCloseOne) {
  EXPECT_EQ(did_you_mean("learning-rat", kKnown), "; did you mean 'learning-rate'?");
  EXPECT_EQ(did_you_mean("momemtum", kKnown), "; did you mean 'momentum'?");
}

TEST(Suggestion, CountsSwappedNeighboursOnce) {
  const std::vector<std::string> known = {"vpt", "vtu"};
  EXPECT_EQ(did_you_mean("vtp", known), "; did you mean 'vpt'?");
}

TEST(Suggestion, ListsAllWhenNoneIsClose) {
  EXPECT_EQ(did_you_mean("colour", kKnown), "; known: learning-rate, momentum, optimizer");
}

TEST(Suggestion, SaysNothingWhenNothingIsKnown) {
  EXPECT_EQ(did_you_mean("a", {}), "");
}

}  // namespace
}  // namespace petlab::base
