#include "petlab/pretrain/emoji_words.hpp"

#include "icon_fixture.hpp"
#include "petlab/base/error.hpp"

#include <gmock/gmock.h>

namespace petlab::pretrain {
namespace {

using testing::ElementsAre;

TEST(EmojiWords, AreReadFromBothPackages) {
  const IconFixture fixture;
  const auto words = read_emoji_words(fixture.emojibase(), fixture.emojilib());
  ASSERT_TRUE(words.contains("umbrella"));
  EXPECT_THAT(words.at("umbrella").topics, ElementsAre("weather", "travel and places"));
  // From the tags, then from emojilib; neither the name itself nor a smiley.
  EXPECT_THAT(words.at("umbrella").keywords, ElementsAre("rain", "clothing", "spring"));
  EXPECT_FALSE(words.contains("flag italy"));
}

TEST(EmojiWords, OfAnotherVersionAreRefused) {
  const IconFixture fixture;
  EXPECT_THROW((void)read_emoji_words(fixture.emojilib(), fixture.emojilib()), base::Error);
  EXPECT_THROW((void)read_emoji_words("/nowhere", fixture.emojilib()), base::Error);
}

TEST(Topics, AreHeadingsInWords) {
  EXPECT_EQ(topic_of("FoodDrink"), "food drink");
  EXPECT_EQ(topic_of("Food & Drink"), "food and drink");
  EXPECT_EQ(topic_of("Account / User"), "account user");
  EXPECT_EQ(topic_of("General"), "");
  EXPECT_EQ(topic_of(""), "");
}

}  // namespace
}  // namespace petlab::pretrain
