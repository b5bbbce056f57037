#include "petlab/pretrain/names.hpp"

#include "petlab/pretrain/synonyms.hpp"

#include <gmock/gmock.h>

namespace petlab::pretrain {
namespace {

using testing::ElementsAre;

TEST(Names, AreSplitAtSignsAndBetweenLettersAndDigits) {
  EXPECT_THAT(words_of("Battery50-full_v2"), ElementsAre("battery", "50", "full", "v", "2"));
  EXPECT_THAT(words_of("--"), ElementsAre());
}

TEST(Names, LoseTheWordsThatSayHowAThingIsDrawn) {
  EXPECT_EQ(subject_of("umbrella-outline-24"), "umbrella");
  EXPECT_EQ(subject_of("duotone-bold"), "");
  EXPECT_EQ(canonical_subject(subject_of("light-bulb-fill")), "light bulb");
}

TEST(Names, OfOneThingAreBroughtTogether) {
  EXPECT_EQ(canonical_subject("tv"), "television");
  EXPECT_EQ(canonical_subject("umbrella"), "umbrella");
  EXPECT_TRUE(synonyms_of("umbrella").empty());
  EXPECT_EQ(synonyms_of("television").size(), 2U);
}

TEST(ForbiddenWords, AreFoundInSingularAndPluralAndInsideCompounds) {
  const ForbiddenWords words({"open book", "battery full"}, {"airplane", "key"});
  EXPECT_EQ(words.first_in("red-books"), "books");
  EXPECT_EQ(words.first_in("batteries-2"), "batteries");
  EXPECT_EQ(words.first_in("folder-open"), "open");
  EXPECT_EQ(words.first_in("airplanemode-on"), "airplanemode");
  EXPECT_EQ(words.first_in("monkey-face"), "");  // "key" is too short to be sought in compounds
  EXPECT_EQ(words.first_in("rainbow"), "");
}

}  // namespace
}  // namespace petlab::pretrain
