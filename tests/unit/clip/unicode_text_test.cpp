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

}  // namespace
}  // namespace petlab::clip
