#include "petlab/pretrain/emoji_words.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/json_text.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"
#include "petlab/pretrain/names.hpp"
#include "petlab/pretrain/synonyms.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace petlab::pretrain {

namespace {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

/// Headings under which anything may stand. Sorted.
constexpr std::array<std::string_view, 28> kEmptyTopics = {"abstract",
                                                           "action",
                                                           "actions",
                                                           "activity",
                                                           "alphanumeric symbols",
                                                           "base",
                                                           "basic",
                                                           "brand",
                                                           "brands",
                                                           "common",
                                                           "components",
                                                           "content",
                                                           "core",
                                                           "essential",
                                                           "general",
                                                           "interface",
                                                           "interface essential",
                                                           "logos",
                                                           "misc",
                                                           "modifiers",
                                                           "object",
                                                           "objects",
                                                           "other",
                                                           "other objects",
                                                           "others",
                                                           "regular",
                                                           "symbols",
                                                           "ui"};
static_assert(std::is_sorted(kEmptyTopics.begin(), kEmptyTopics.end()));

constexpr std::size_t kShortestKeyword = 3;

/// Far more than any file of both packages.
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{64} << 20U;

json read_json(const std::filesystem::path& file, const std::string& package) {
  const std::string name = base::printable(file);
  const std::string hint = "get it with `npm pack " + package + "` and unpack the archive";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored))
    throw Error(ErrorKind::data, "cannot open " + name + "; " + hint);
  return base::parse_json(base::read_text_file(file, kMaxFileBytes), name, hint);
}

void check_version(const std::filesystem::path& dir, const std::string& name,
                   const std::string& version) {
  const std::string package = name + "@" + version;
  const json about = read_json(dir / "package.json", package);
  const std::string found = about.value("name", "?") + "@" + about.value("version", "?");
  if (found != package)
    throw Error(ErrorKind::data, dir.string() + " holds " + found + ", expected " + package);
}

/// A keyword as lower-case words; empty when it is a smiley or a single letter.
std::string keyword_of(const std::string& text) {
  const bool has_signs = std::any_of(text.begin(), text.end(), [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) == 0 && c != ' ' && c != '_' && c != '-';
  });
  if (has_signs || text.size() < kShortestKeyword) return {};
  std::string keyword;
  for (const std::string& word : words_of(text))
    keyword += (keyword.empty() ? "" : " ") + word;
  return keyword;
}

void add_unique(std::vector<std::string>& list, const std::string& value) {
  if (!value.empty() && std::find(list.begin(), list.end(), value) == list.end())
    list.push_back(value);
}

/// The headings of groups or subgroups by number.
std::map<int, std::string> headings_of(const json& messages, const char* key) {
  std::map<int, std::string> headings;
  for (const json& entry : messages.at(key))
    headings[entry.at("order").get<int>()] = entry.at("message").get<std::string>();
  return headings;
}

}  // namespace

std::string topic_of(const std::string& heading) {
  std::string spaced;
  for (const char c : heading) {
    const bool is_upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (is_upper && !spaced.empty() && std::islower(static_cast<unsigned char>(spaced.back())) != 0)
      spaced += ' ';
    if (c == '&')
      spaced += "and";
    else
      spaced += c;
  }
  std::string topic;
  for (const std::string& word : words_of(spaced))
    topic += (topic.empty() ? "" : " ") + word;
  return std::binary_search(kEmptyTopics.begin(), kEmptyTopics.end(), topic) ? "" : topic;
}

std::map<std::string, SubjectWords> read_emoji_words(const std::filesystem::path& emojibase_dir,
                                                     const std::filesystem::path& emojilib_dir) {
  std::map<std::string, SubjectWords> result;
  try {
    check_version(emojibase_dir, "emojibase-data", kEmojibaseVersion);
    check_version(emojilib_dir, "emojilib", kEmojilibVersion);
    const std::string emojibase = std::string("emojibase-data@") + kEmojibaseVersion;
    const json emojis = read_json(emojibase_dir / "en" / "data.json", emojibase);
    const json messages = read_json(emojibase_dir / "en" / "messages.json", emojibase);
    const json keywords = read_json(emojilib_dir / "dist" / "emoji-en-US.json",
                                    std::string("emojilib@") + kEmojilibVersion);
    const std::map<int, std::string> groups = headings_of(messages, "groups");
    const std::map<int, std::string> subgroups = headings_of(messages, "subgroups");
    std::map<std::string, std::string> subject_of_emoji;
    constexpr std::string_view kVariation =
        "\xef\xb8\x8f";  // "as a picture"; not everybody adds it
    const auto bare = [&](std::string emoji) {
      for (auto at = emoji.find(kVariation); at != std::string::npos; at = emoji.find(kVariation))
        emoji.erase(at, kVariation.size());
      return emoji;
    };
    for (const json& emoji : emojis) {
      if (!emoji.contains("group") || !emoji.contains("subgroup")) continue;
      const std::string& group = groups.at(emoji.at("group").get<int>());
      if (group == "flags" || group == "components") continue;
      const std::string subject =
          canonical_subject(subject_of(emoji.at("label").get<std::string>()));
      if (subject.empty()) continue;
      SubjectWords& words = result[subject];
      add_unique(words.topics, topic_of(subgroups.at(emoji.at("subgroup").get<int>())));
      add_unique(words.topics, topic_of(group));
      if (emoji.contains("tags"))
        for (const json& tag : emoji.at("tags"))
          add_unique(words.keywords, keyword_of(tag.get<std::string>()));
      subject_of_emoji.emplace(bare(emoji.at("emoji").get<std::string>()), subject);
    }
    for (const auto& [emoji, list] : keywords.items()) {
      const auto found = subject_of_emoji.find(bare(emoji));
      if (found == subject_of_emoji.end()) continue;
      for (const json& keyword : list)
        add_unique(result[found->second].keywords, keyword_of(keyword.get<std::string>()));
    }
  } catch (const json::exception& error) {
    throw Error(ErrorKind::data, emojibase_dir.string() + " or " + emojilib_dir.string() +
                                     " is not laid out as expected: " + error.what());
  } catch (const std::out_of_range&) {
    throw Error(ErrorKind::data,
                emojibase_dir.string() + " names a group of emoji that messages.json lacks");
  }
  for (auto& [subject, words] : result)
    std::erase_if(words.keywords,
                  [&](const std::string& word) { return canonical_subject(word) == subject; });
  return result;
}

}  // namespace petlab::pretrain
