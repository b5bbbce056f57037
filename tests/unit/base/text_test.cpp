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

TEST(Text, OfAnybodyIsOneBoundedLineInAMessage) {
  EXPECT_EQ(message_line("plain caf\xC3\xA9"), "plain caf\xC3\xA9");
  EXPECT_EQ(message_line("two\nlines\n\n"), "two lines");
  EXPECT_EQ(message_line("\x1b[2J\xff\r"), "\\x1B[2J\\xFF");
  EXPECT_EQ(message_line("a\rb"), "a\\x0Db");
  EXPECT_EQ(message_line(std::string(30, 'a'), 10), std::string(10, 'a') + " ... (20 more bytes)");
  EXPECT_EQ(message_line("abc\xE6\x97\xA5zz", 5),
            "abc ... (5 more bytes)");  // not half a character
  EXPECT_LT(message_line(std::string(5'000'000, '\xff')).size(), 10'000U);
}

TEST(Text, FormulasOfASpreadsheetBecomeText) {
  for (const char* text : {"", "a", "1.5", "-1.5", "+1e-3", "-inf", "a=b"})
    EXPECT_EQ(spreadsheet_text(text), text);
  for (const std::string text : {"=1+1", "+a", "-1+1", "@sum", "\t=1", "\r=1", "-"})
    EXPECT_EQ(spreadsheet_text(text), "'" + text);
}

}  // namespace
}  // namespace petlab::base
