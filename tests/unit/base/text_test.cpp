#include "petlab/base/text.hpp"

#include <gtest/gtest.h>

namespace petlab::base {
namespace {

TEST(Text, PlainTextIsKept) {
  for (const char* text : {"", "a b", "L'Art", "caf\xC3\xA9", "\xE6\x97\xA5", "\xF0\x9F\x98\x80"}) {
    EXPECT_TRUE(is_plain_text(text));
    EXPECT_EQ(escaped(text), text);
  }
}

TEST(Text, ControlCharactersAndWhatIsNoUtf8AreShown) {
  EXPECT_EQ(escaped("a\nb\x7F"), "a\\x0Ab\\x7F");
  EXPECT_EQ(escaped("\xC2\x85"), "\\xC2\\x85");  // a control character of two bytes
  EXPECT_EQ(escaped("caf\xE9"), "caf\\xE9");     // Latin-1
  EXPECT_EQ(escaped("\xC0\xAF"), "\\xC0\\xAF");  // longer than needed
  EXPECT_EQ(escaped("\xE0\x80\xAF"), "\\xE0\\x80\\xAF");
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\\xED\\xA0\\x80");  // half of a surrogate pair
  EXPECT_EQ(escaped("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");
  EXPECT_EQ(escaped("\xE6\x97"), "\\xE6\\x97");  // cut short
  EXPECT_FALSE(is_plain_text("a\tb"));
}

TEST(Text, Joined) {
  EXPECT_EQ(joined({}), "");
  EXPECT_EQ(joined({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(joined({"a", "b"}, " = "), "a = b");
}

}  // namespace
}  // namespace petlab::base
