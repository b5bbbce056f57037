#include "petlab/pretrain/emoji_words.hpp"

#include "icon_fixture.hpp"
#include "petlab/base/error.hpp"

#include <gmock/gmock.h>

#include <fstream>

namespace petlab::pretrain {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

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

TEST(EmojiWords, FilesThatCannotBeUsedAreNamedInOneLine) {
  const IconFixture fixture;
  const auto with = [&](const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file) << text;
    try {
      (void)read_emoji_words(fixture.emojibase(), fixture.emojilib());
    } catch (const base::Error& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
      return std::string(error.what());
    }
    return std::string();
  };
  const auto data = fixture.emojibase() / "en" / "data.json";
  EXPECT_EQ(with(data, "[\n{,"), data.string() +
                                     " is not valid JSON at byte 4 of 4; get it with `npm pack "
                                     "emojibase-data@17.0.0` and unpack the archive");
  EXPECT_THAT(with(data, R"([{"group": 5, "subgroup": 59}])"),
              HasSubstr("is not laid out as expected"));
  EXPECT_THAT(with(fixture.emojilib() / "package.json", "[]"),
              HasSubstr("is not laid out as expected"));
  std::filesystem::remove(data);
  EXPECT_THAT(
      with(fixture.emojilib() / "package.json", R"({"name": "emojilib", "version": "4.0.3"})"),
      HasSubstr("cannot open " + data.string() + "; get it with `npm pack"));
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
