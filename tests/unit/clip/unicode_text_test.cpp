#include "unicode_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::clip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(UnicodeText, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(valid_utf8("plain"), "plain");
  EXPECT_EQ(valid_utf8("é€😀"), "é€😀");
  EXPECT_EQ(valid_utf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(valid_utf8("\xE2\x82"), "\uFFFD");                  // a cut character is one
  EXPECT_EQ(valid_utf8("\xC0\xAF"), "\uFFFD\uFFFD");            // an overlong form
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(valid_utf8("\xF0\x9F\x98z"), "\uFFFDz");
}

TEST(UnicodeText, ComposesAndLowers) {
  EXPECT_EQ(normalise_text("A Photo"), "a photo");
  EXPECT_EQ(normalise_text("e\u0301"), "é");
  EXPECT_EQ(normalise_text("\u212B"), "å");  // the Angstrom sign
  EXPECT_EQ(normalise_text("İ"), "i\u0307");
  EXPECT_EQ(normalise_text("ΣΣ"), "σσ");  // no final form
  EXPECT_EQ(normalise_text(std::string_view("a\0É", 4)), std::string("a\0é", 4));
}

TEST(UnicodeText, SplitsLikeClip) {
  EXPECT_THAT(split_words("it's a dog."), ElementsAre("it", "'s", "a", "dog", "."));
  EXPECT_THAT(split_words("year 2024!?"), ElementsAre("year", "2", "0", "2", "4", "!?"));
  EXPECT_THAT(split_words("ﬁ½日本"), ElementsAre("ﬁ", "½", "日本"));
  EXPECT_THAT(split_words(" \t\n\u00A0\u3000"), IsEmpty());
  EXPECT_THAT(split_words("''s"), ElementsAre("''", "s"));
  EXPECT_THAT(split_words("we'll've"), ElementsAre("we", "'ll", "'ve"));
  EXPECT_THAT(split_words("!<|endoftext|>!"), ElementsAre("!<|", "endoftext", "|>!"));
  EXPECT_THAT(split_words("a<|endoftext|>!"), ElementsAre("a", "<|", "endoftext", "|>", "!"));
}

TEST(UnicodeText, TrimsLikePython) {
  EXPECT_EQ(trimmed(" \x1C a b\u3000\n"), "a b");
  EXPECT_EQ(trimmed(" \t"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(UnicodeText, FollowsTheReferencesEditionsOfUnicode) {
  // Letters of Unicode 16, with small forms of Unicode 16 and 17; U+A7CE is a letter of Unicode 17.
  EXPECT_EQ(normalise_text("\u1C89"), "\u1C8A");
  EXPECT_EQ(normalise_text("\uA7CE"), "\uA7CF");
  EXPECT_EQ(split_words("a\u1C8A"), std::vector<std::string>({"a\u1C8A"}));
  EXPECT_EQ(split_words("a\uA7CF"), std::vector<std::string>({"a", "\uA7CF"}));
  // Marks of Unicode 9 move, younger ones stay: U+0334 goes before U+0301, but not before U+1DF6.
  EXPECT_EQ(normalise_text("x\u0301\u0334"), "x\u0334\u0301");
  EXPECT_EQ(normalise_text("x\u1DF6\u0334"), "x\u1DF6\u0334");
  // U+11935 and U+11930 compose since Unicode 13.
  EXPECT_EQ(normalise_text("\U00011935\U00011930"), "\U00011935\U00011930");
}

TEST(UnicodeText, ComposesHangulWithoutLosingAVowel) {
  EXPECT_EQ(normalise_text("\u1112\u1161\u11AB"), "\uD55C");
  EXPECT_EQ(normalise_text("\u1112\u1161\u11A7"), "\uD558\u11A7");
}

}  // namespace
}  // namespace petlab::clip
