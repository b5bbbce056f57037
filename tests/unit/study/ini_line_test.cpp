#include "ini_line.hpp"

#include "ini_file.hpp"
#include "petlab/base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace petlab::study {
namespace {

using testing::HasSubstr;

std::string value_of(const std::string& line) {
  const IniResult result = parse_ini_line(line);
  EXPECT_TRUE(result.line.has_value()) << line << ": " << result.wrong;
  return result.line ? result.line->value : "?";
}

std::string wrong_with(const std::string& line) {
  const IniResult result = parse_ini_line(line);
  EXPECT_FALSE(result.line.has_value()) << line;
  return result.wrong;
}

TEST(IniLine, ACommentBeginsBehindABlankOrWithTheLine) {
  EXPECT_EQ(value_of("root = /data/set#2"), "/data/set#2");
  EXPECT_EQ(value_of("root = /data/set#2  # the second"), "/data/set#2");
  EXPECT_EQ(value_of("root = /data/set\t# tab"), "/data/set");
  EXPECT_EQ(value_of("epochs = 5 # a comment"), "5");
  EXPECT_EQ(value_of("description = # nothing"), "");
  EXPECT_EQ(value_of("description ="), "");
  for (const char* line : {"# a = b", "  ; a = b", "", " \t\r", "#"})
    EXPECT_EQ(parse_ini_line(line).line->kind, IniLine::Kind::empty) << line;
}

TEST(IniLine, QuotesAroundAWholeValueAreTakenOff) {
  EXPECT_EQ(value_of("option.template = \"a photo of a {}.\""), "a photo of a {}.");
  EXPECT_EQ(value_of("option.template = 'a photo of a {}.' # usual"), "a photo of a {}.");
  EXPECT_EQ(value_of("t = \"a # {} ; b \"\"c\"\" \"\t; why"), "a # {} ; b \"c\" ");
  EXPECT_EQ(value_of("t = 'the dog''s {}'"), "the dog's {}");
  EXPECT_EQ(value_of("t = \"\""), "");
  EXPECT_EQ(value_of("t = a \"{}\" of a dog's"), "a \"{}\" of a dog's");
}

TEST(IniLine, WhatIsNoValueIsRefused) {
  EXPECT_THAT(wrong_with("t = \"a photo"), HasSubstr("quote that begins the value does not end"));
  EXPECT_THAT(wrong_with("t = 'a photo"), HasSubstr("does not end"));
  EXPECT_THAT(wrong_with("t = \"a\",\"b\""), HasSubstr("behind the quotes, found ',\"b\"'"));
  EXPECT_THAT(wrong_with("t = \"a \\\"dog\\\" {}\""), HasSubstr("written twice"));
  EXPECT_THAT(wrong_with("t = \"a\"# touches"), HasSubstr("behind the quotes"));
  EXPECT_THAT(wrong_with("t = a photo of a {}. ; the usual one"), HasSubstr("holds a ;"));
  EXPECT_THAT(wrong_with("t = a photo\t;x"), HasSubstr("holds a ;"));
  EXPECT_THAT(wrong_with("t = ; nothing"), HasSubstr("holds a ;"));
  EXPECT_EQ(value_of("t = a;b"), "a;b");
  EXPECT_THAT(wrong_with("t =#x"), HasSubstr("begins with #"));
  EXPECT_THAT(wrong_with("t = a photo of a {}.\""), HasSubstr("a single \""));
  for (const char* quote : {"“a {}”", "‘a {}’", "„a {}“", "«a {}»", "`a {}`"})
    EXPECT_THAT(wrong_with("t = " + std::string(quote)), HasSubstr("neither \" nor '")) << quote;
  EXPECT_THAT(wrong_with("t = caf\xE9"), HasSubstr("no text (UTF-8), 't = caf\\xE9'"));
  EXPECT_THAT(wrong_with("what is this"), HasSubstr("expected 'key = value'"));
  EXPECT_THAT(wrong_with("= 5"), HasSubstr("expected 'key = value'"));
  EXPECT_THAT(wrong_with("a. = 5"), HasSubstr("expected 'key = value'"));
  EXPECT_THAT(wrong_with("[study"), HasSubstr("expected a section '[name]'"));
  EXPECT_THAT(wrong_with("[]"), HasSubstr("expected a section"));
  EXPECT_THAT(wrong_with("[study]x"), HasSubstr("expected a section"));
}

TEST(IniLine, SectionsMayHaveAComment) {
  EXPECT_EQ(parse_ini_line(" [row.a] # first").line->name, "row.a");
  EXPECT_EQ(parse_ini_line("[row.a];").line.has_value(), false);
  EXPECT_EQ(parse_ini_line("[row.a] ; first").line->name, "row.a");
}

TEST(IniLine, WrittenValuesComeBack) {
  for (const std::string value :
       {"", "plain", "a photo of a {}.", "set#2", " blank in front", "behind ", "a # b", "a ; b",
        "\"quoted\"", "'x", "\"", "say \"hi\"", "#x", ";x", "“x”", "a\tb"})
    EXPECT_EQ(value_of("key = " + ini_value(value)), value);
  EXPECT_EQ(ini_value("set#2"), "set#2") << "quotes only where they are needed";
}

class IniFileTest : public testing::Test {
 protected:
  ~IniFileTest() override { std::filesystem::remove(file_); }
  IniFile read(const std::string& text) const {
    std::ofstream(file_, std::ios::binary) << text;
    return read_ini(file_);
  }
  std::string error_of(const std::string& text) const {
    try {
      (void)read(text);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::config);
      return error.what();
    }
    return "no error";
  }
  std::filesystem::path file_ =
      std::filesystem::path(testing::TempDir()) /
      ("ini_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
       ".ini");
};

TEST_F(IniFileTest, AByteOrderMarkIsSkipped) {
  const IniFile file = read("\xEF\xBB\xBF[study]\r\nname = a\r\n");
  ASSERT_EQ(file.settings.size(), 1U);
  EXPECT_EQ(file.settings[0].key, "study.name");
  EXPECT_EQ(file.settings[0].value, "a");
}

TEST_F(IniFileTest, Utf16IsCalledSo) {
  using namespace std::string_literals;
  for (const std::string& text : {"\xFF\xFE[\0s\0]\0"s, "\xFE\xFF\0[\0s\0]"s, "[\0s\0]\0\n\0"s})
    EXPECT_THAT(error_of(text),
                HasSubstr("is UTF-16 or UTF-32 text, or no text: save it as UTF-8"));
}

TEST_F(IniFileTest, ErrorsNameTheLine) {
  EXPECT_THAT(error_of("[a]\n\n# c\nx = 'y\n"), HasSubstr(".ini:4: the quote that begins"));
  EXPECT_THAT(error_of("x = 1\n"), HasSubstr(".ini:1: key 'x' stands before the first"));
}

}  // namespace
}  // namespace petlab::study
