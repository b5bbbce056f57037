#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace petlab::pretrain {

inline constexpr const char* kEmojibaseVersion = "17.0.0";
inline constexpr const char* kEmojilibVersion = "4.0.3";

/// What the two packages say of one thing.
struct SubjectWords {
  std::vector<std::string> topics;    ///< kinds of things it belongs to: "tools", "objects"
  std::vector<std::string> keywords;  ///< "build", "handyman"
};

/// Words for each subject that has an emoji, under its canonical name: groups and tags of npm
/// `emojibase-data`, keywords of npm `emojilib` (both MIT). Flags, skin tones and words that are no
/// words are left out. Throws base::Error(data) when a folder does not hold that version.
[[nodiscard]] std::map<std::string, SubjectWords> read_emoji_words(
    const std::filesystem::path& emojibase_dir, const std::filesystem::path& emojilib_dir);

/// A heading as a topic: "FoodDrink" -> "food drink", "Food & Drink" -> "food and drink"; empty for
/// those that say nothing ("General", "Misc", "Brands").
[[nodiscard]] std::string topic_of(const std::string& heading);

}  // namespace petlab::pretrain
