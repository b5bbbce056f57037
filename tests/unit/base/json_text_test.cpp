#include "petlab/base/json_text.hpp"

#include "petlab/base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace petlab::base {
namespace {

using nlohmann::json;
using testing::StartsWith;

/// What is said of a text that is refused.
std::string refusal(std::string_view text, const std::string& hint = {}) {
  try {
    (void)parse_json(text, "a.json", hint);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
    return error.what();
  }
  return "";
}

std::string nested(int levels) {
  const auto n = static_cast<std::size_t>(levels);
  return std::string(n, '[') + std::string(n, ']');
}

TEST(JsonText, IsReadWithAndWithoutAByteOrderMark) {
  const json expected = {{"a", {1, 2.5, "\xC3\xA9", nullptr}}};
  const std::string text = " {\"a\": [1, 2.5, \"\xC3\xA9\", null]}\r\n";
  EXPECT_EQ(parse_json(text, "a.json"), expected);
  EXPECT_EQ(parse_json("\xEF\xBB\xBF" + text, "a.json"), expected);
  EXPECT_EQ(parse_json("7", "a.json"), 7);
}

TEST(JsonText, WhatIsNotJsonIsRefusedWithItsByte) {
  EXPECT_EQ(refusal("[1,,2]"), "a.json is not valid JSON at byte 4 of 6");
  EXPECT_EQ(refusal("[1,\n,2]"), "a.json is not valid JSON at byte 5 of 7");
  EXPECT_EQ(refusal("\xEF\xBB\xBF[1,,2]"), "a.json is not valid JSON at byte 7 of 9");
  EXPECT_EQ(refusal("{} {}"), "a.json is not valid JSON at byte 4 of 5");
  EXPECT_EQ(refusal("[1,"), "a.json is not valid JSON at byte 3 of 3") << "cut short";
  EXPECT_EQ(refusal(""), "a.json is not valid JSON at byte 0 of 0");
  EXPECT_EQ(refusal("NaN"), "a.json is not valid JSON at byte 1 of 3");
  EXPECT_THAT(refusal("[\"\xFF\"]"), StartsWith("a.json is not valid JSON at byte 3"));
  EXPECT_THAT(refusal("[\"\n\"]"), StartsWith("a.json is not valid JSON at byte 3"));
}

TEST(JsonText, NumbersThatNoDoubleCanHoldAreRefused) {
  EXPECT_EQ(refusal("[1e999]"), "a.json holds a number that is out of range");
  EXPECT_EQ(parse_json("18446744073709551615", "a.json").get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(parse_json("18446744073709551616", "a.json").get<double>(), 18446744073709551616.0);
}

TEST(JsonText, AKeyThatStandsTwiceInOneObjectIsRefused) {
  EXPECT_EQ(refusal(R"({"train": [1], "test": [], "train": []})"),
            "a.json has the key 'train' twice in one object");
  EXPECT_EQ(refusal(R"({"a": 1, "a": 1})"), "a.json has the key 'a' twice in one object")
      << "of one value, too";
  EXPECT_EQ(refusal(R"({"a": 1, "\u0061": 2})"), "a.json has the key 'a' twice in one object")
      << "however it is written";
  EXPECT_EQ(refusal(R"([{}, {"x": {"y": [{"": 1, "": 2}]}}])"),
            "a.json has the key '' twice in one object");
  EXPECT_EQ(refusal(R"({"a": {"b": 1}, "c": 2, "a": 3})"),
            "a.json has the key 'a' twice in one object")
      << "with an object between";
  EXPECT_EQ(refusal(R"({"a\nb": 1, "a\nb": 1})").find('\n'), std::string::npos);
  EXPECT_LT(
      refusal("{\"" + std::string(9000, 'k') + "\": 1, \"" + std::string(9000, 'k') + "\": 1}")
          .size(),
      300U);
  EXPECT_EQ(refusal(R"({"a": 1, "a": 2})", "expected one"),
            "a.json has the key 'a' twice in one object; expected one");
  // One key in several objects is what JSON is for.
  const std::string same = R"([{"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]}, {"a": 4}])";
  EXPECT_EQ(parse_json(same, "a.json"), json::parse(same));
  EXPECT_EQ(parse_json(R"({"a": 1, "A": 2})", "a.json").size(), 2U);
}

TEST(JsonText, ManyKeysAreReadInLinearTime) {
  std::string wide = "{\"k\": 0";
  for (int i = 0; i < 200'000; ++i)
    wide += ",\"" + std::to_string(i) + "\":{\"a\":1}";
  EXPECT_EQ(parse_json(wide + "}", "a.json").size(), 200'001U);
}

TEST(JsonText, BracketsNestToALimit) {
  EXPECT_TRUE(parse_json(nested(kMaxJsonDepth), "a.json").is_array());
  const std::string too_deep = "a.json is JSON that nests deeper than 100 levels";
  EXPECT_EQ(refusal(nested(kMaxJsonDepth + 1)), too_deep);
  EXPECT_EQ(refusal(std::string(1'000'000, '[')), too_deep);
  std::string objects;
  for (int i = 0; i <= kMaxJsonDepth; ++i)
    objects += "{\"a\":";
  EXPECT_EQ(refusal(objects), too_deep);
  // Only brackets that nest count: not those beside each other, nor those of texts.
  std::string flat = "[0";
  for (int i = 0; i < 1000; ++i)
    flat += ",[{}]";
  EXPECT_EQ(parse_json(flat + "]", "a.json").size(), 1001U);
  EXPECT_EQ(parse_json("[\"\\\"" + std::string(1000, '[') + "\\\\\"]", "a.json").size(), 1U);
  EXPECT_EQ(refusal("[\"\\\\\"," + std::string(1000, '[')), too_deep);
}

TEST(JsonText, OtherFilesInItsPlaceAreCalledWhatTheyAre) {
  EXPECT_EQ(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n"),
            "a.json is a pointer of Git LFS, not the file itself: `git lfs pull` in its "
            "repository fetches it");
  const std::string utf16 = "a.json is UTF-16 or UTF-32 text, or no text: save it as UTF-8";
  EXPECT_EQ(refusal(std::string_view("\xFF\xFE{\0}\0", 6)), utf16);
  EXPECT_EQ(refusal(std::string_view("{\0}\0", 4)), utf16);
}

TEST(JsonText, HintsEndSentencesAboutTheJsonItself) {
  const std::string hint = "expected {\"a\": 1}";
  EXPECT_EQ(refusal("{", hint), "a.json is not valid JSON at byte 1 of 1; " + hint);
  EXPECT_EQ(refusal("[1e999]", hint), "a.json holds a number that is out of range; " + hint);
  EXPECT_EQ(refusal(nested(101), hint),
            "a.json is JSON that nests deeper than 100 levels; " + hint);
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\n", hint),
              testing::EndsWith("fetches it"));
}

}  // namespace
}  // namespace petlab::base
