#include "petlab/pretrain/captions.hpp"

#include "petlab/pretrain/synonyms.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace petlab::pretrain {

namespace {

using Chance = base::SplitMix64;

/// `{}` is the name. Sentences that are true of every picture.
constexpr std::array<std::string_view, 14> kPlainSentences = {"a photo of a {}.",
                                                              "a photo of a {}",
                                                              "a picture of a {}.",
                                                              "an image of a {}.",
                                                              "an icon of a {}",
                                                              "icon of {}",
                                                              "a drawing of a {}.",
                                                              "a {}",
                                                              "this is a {}.",
                                                              "a symbol for {}",
                                                              "the {}.",
                                                              "a pictogram of a {}.",
                                                              "a sign of a {}",
                                                              "clip art of a {}."};

/// What a drawing is called, and what that says of it.
struct Medium {
  std::string_view words;
  FactBits bits;
};
constexpr FactBits kOutline = fact::of(Style::outline);
constexpr FactBits kSolid = fact::of(Style::solid);
constexpr FactBits kGrey = fact::of(Style::grey);
constexpr FactBits kColour = fact::of(Style::colour);
constexpr FactBits kEmoji = fact::of(Style::emoji);
constexpr std::array kMedia = {
    Medium{"outline icon", kOutline},
    Medium{"line icon", kOutline},
    Medium{"line drawing", kOutline},
    Medium{"outline", kOutline},
    Medium{"stroke icon", kOutline},
    Medium{"thin line icon", kOutline | fact::kThin},
    Medium{"thin line drawing", kOutline | fact::kThin},
    Medium{"bold outline icon", kOutline | fact::kBold},
    Medium{"solid icon", kSolid},
    Medium{"filled icon", kSolid},
    Medium{"glyph", kSolid},
    Medium{"silhouette", kSolid},
    Medium{"solid", kSolid},
    Medium{"grey icon", kGrey},
    Medium{"grey drawing", kGrey},
    Medium{"two tone icon", fact::kTwoTone},
    Medium{"duotone icon", fact::kTwoTone},
    Medium{"flat icon", kColour},
    Medium{"colour icon", kColour},
    Medium{"flat drawing", kColour},
    Medium{"coloured illustration", kColour},
    Medium{"flat", kColour},
    Medium{"emoji", kEmoji},
    Medium{"colourful emoji", kEmoji | fact::kColourful},
    Medium{"emoji icon", kEmoji},
    Medium{"emoji drawing", kEmoji},
    Medium{"pixel art icon", fact::kPixel},
    Medium{"pixel drawing", fact::kPixel},
    Medium{"hand drawn icon", fact::kHandDrawn},
    Medium{"sketch", fact::kHandDrawn},
    Medium{"white on black icon", fact::kInverted},
};

/// Words before the medium.
constexpr std::array kAdjectives = {
    Medium{"thin", fact::kThin},         Medium{"light", fact::kThin},
    Medium{"bold", fact::kBold},         Medium{"thick", fact::kBold},
    Medium{"simple", fact::kSimple},     Medium{"minimal", fact::kSimple},
    Medium{"detailed", fact::kDetailed}, Medium{"intricate", fact::kDetailed},
    Medium{"rounded", fact::kRounded},   Medium{"sharp", fact::kSharp},
    Medium{"duotone", fact::kTwoTone},   Medium{"colourful", fact::kColourful},
    Medium{"inverted", fact::kInverted},
};

/// Neutral names, for descriptions that tell something else.
constexpr std::array<std::string_view, 6> kNeutralMedia = {"icon",   "drawing",   "picture",
                                                           "symbol", "pictogram", "image"};

/// What texts of the web have besides: words that are true of every picture or of none. "#" is a
/// number.
constexpr std::array<std::string_view, 35> kNoise = {
    "free download", "stock",      "vector",       "svg",          "png",
    "# px",          "v#",         "copy",         "new",          "final",
    "item #",        "no. #",      "design",       "app",          "web",
    "interface",     "website",    "royalty free", "set of #",     "pack",
    "collection",    "for print",  "template",     "file #",       "page #",
    "best",          "click here", "sale",         "by admin",     "category",
    "untitled",      "preview",    "resource",     "high quality", "(#)"};

// Probabilities in percent.
constexpr std::uint64_t kCommonName = 45;
constexpr std::uint64_t kSynonym = 25;  // of the rest the designer's own name
constexpr std::uint64_t kTellMedium = 75;
constexpr std::uint64_t kTellAdjective = 35;
constexpr std::uint64_t kTellColours = 35;
constexpr std::uint64_t kTellTopic = 30;
constexpr std::uint64_t kTellKeywords = 15;
constexpr std::uint64_t kTellSet = 20;
constexpr std::uint64_t kFullStop = 40;
constexpr std::uint64_t kNoiseBefore = 50;
constexpr std::uint64_t kMoreNoise = 40;

bool happens(std::uint64_t percent, Chance& chance) {
  return chance.below(100) < percent;
}

template <typename Values>
const auto& pick(const Values& values, Chance& chance) {
  return values[static_cast<std::size_t>(chance.below(values.size()))];
}

std::string filled_in(std::string_view sentence, std::string_view name) {
  std::string text(sentence);
  text.replace(text.find("{}"), 2, name);
  return text;
}

std::string draw_name(const CaptionSource& source, Chance& chance) {
  if (happens(kCommonName, chance)) return source.subject;
  const auto synonyms = synonyms_of(source.subject);
  if (!synonyms.empty() && happens(kSynonym, chance)) return std::string(pick(synonyms, chance));
  return source.own_names.empty() ? source.subject : pick(source.own_names, chance);
}

/// One of the entries that are true of the picture; nullptr when there is none.
template <std::size_t N>
const Medium* draw_true(const std::array<Medium, N>& entries, FactBits bits, Chance& chance) {
  std::array<const Medium*, N> fitting{};
  std::size_t n = 0;
  for (const Medium& entry : entries)
    if ((entry.bits & ~bits) == 0) fitting[n++] = &entry;
  return n == 0 ? nullptr : fitting[static_cast<std::size_t>(chance.below(n))];
}

/// "red", "red and white", "red, white and blue".
std::string colours_in_words(const std::vector<Colour>& colours) {
  std::string text;
  for (std::size_t i = 0; i < colours.size(); ++i) {
    if (i > 0) text += i + 1 == colours.size() ? " and " : ", ";
    text += name_of(colours[i]);
  }
  return text;
}

std::string draw_noise(Chance& chance) {
  std::string words;
  do {
    std::string fragment(pick(kNoise, chance));
    if (const std::size_t place = fragment.find('#'); place != std::string::npos)
      fragment.replace(place, 1, std::to_string(chance.below(10000)));
    words += (words.empty() ? "" : " ") + fragment;
  } while (happens(kMoreNoise, chance));
  return words;
}

/// The text with words before or behind it that say nothing of the picture.
std::string with_noise(const std::string& text, Chance& chance) {
  constexpr std::array<std::string_view, 4> kJoints = {" ", ", ", " - ", " | "};
  const std::string noise = draw_noise(chance);
  const std::string joint(pick(kJoints, chance));
  return happens(kNoiseBefore, chance) ? noise + joint + text : text + joint + noise;
}

/// Puts a description together.
class Description {
 public:
  Description(const CaptionSource& source, const PictureFacts& facts, Chance& chance)
      : source_(source), facts_(facts), chance_(chance) {
    draw_look();
    if (happens(kTellColours, chance_)) {
      for (const Colour colour : facts_.colours)
        caption_.claims.bits |= fact::of(colour);
      colours_ = colours_in_words(facts_.colours);
    }
  }

  Caption write(const std::string& name) {
    caption_.text = look_and_name(name);
    if (!source_.topics.empty() && happens(kTellTopic, chance_)) add_topic();
    if (!source_.keywords.empty() && happens(kTellKeywords, chance_)) {
      caption_.text += ", " + pick(source_.keywords, chance_);
      caption_.text += ", " + pick(source_.keywords, chance_);
    }
    if (!source_.set_title.empty() && happens(kTellSet, chance_)) {
      constexpr std::array<std::string_view, 4> kWays = {" in the style of ", " from ", " by ",
                                                         ", "};
      caption_.text += std::string(pick(kWays, chance_)) + source_.set_title;
      caption_.claims.set = facts_.set;
    }
    if (happens(kFullStop, chance_)) caption_.text += ".";
    return std::move(caption_);
  }

 private:
  void draw_look() {
    const Medium* const medium =
        happens(kTellMedium, chance_) ? draw_true(kMedia, facts_.bits, chance_) : nullptr;
    if (medium != nullptr) {
      caption_.claims.bits |= medium->bits;
      medium_ = medium->words;
    }
    if (!happens(kTellAdjective, chance_)) return;
    const Medium* const adjective = draw_true(kAdjectives, facts_.bits, chance_);
    // Not "thin thin line icon".
    if (adjective == nullptr || medium_.find(adjective->words) != std::string::npos) return;
    caption_.claims.bits |= adjective->bits;
    adjective_ = std::string(adjective->words) + " ";
  }

  std::string look_and_name(const std::string& name) {
    const std::string medium =
        medium_.empty() ? std::string(pick(kNeutralMedia, chance_)) : medium_;
    const std::string coloured = colours_.empty() ? name : colours_ + " " + name;
    switch (chance_.below(7)) {
      case 0:
        return adjective_ + medium + " of a " + coloured;
      case 1:
      case 2:
        return "a " + adjective_ + medium + " of a " + coloured;
      case 3:
        return adjective_ + coloured + " " + medium;
      case 4:
        return name + ", " + adjective_ + medium + (colours_.empty() ? "" : ", " + colours_);
      case 5:
        return "a " + coloured + " drawn as a " + adjective_ + medium;
      default:
        return adjective_ + medium + " of a " + name + (colours_.empty() ? "" : " in " + colours_);
    }
  }

  void add_topic() {
    const std::string& topic = pick(source_.topics, chance_);
    switch (chance_.below(4)) {
      case 0:
        caption_.text = topic + ": " + caption_.text;
        break;
      case 1:
        caption_.text += " (" + topic + ")";
        break;
      case 2:
        caption_.text += ", a kind of " + topic;
        break;
      default:
        caption_.text += ", " + topic;
    }
  }

  const CaptionSource& source_;
  const PictureFacts& facts_;
  Chance& chance_;
  Caption caption_;
  std::string medium_;
  std::string adjective_;
  std::string colours_;
};

}  // namespace

Caption draw_caption(const CaptionSource& source, const PictureFacts& facts,
                     const CaptionShares& shares, Chance& generator) {
  const std::string name = draw_name(source, generator);
  const auto kind = static_cast<int>(generator.below(100));
  Caption caption;
  if (kind < shares.bare)
    caption.text = name;
  else if (kind < shares.bare + shares.plain)
    caption.text = filled_in(pick(kPlainSentences, generator), name);
  else
    caption = Description(source, facts, generator).write(name);
  // Without noise nothing is drawn for it: captions are those that they were.
  if (shares.noise > 0 && happens(static_cast<std::uint64_t>(shares.noise), generator))
    caption.text = with_noise(caption.text, generator);
  return caption;
}

std::string styled_text(const std::string& name, Style style, std::size_t variant) {
  constexpr std::array<std::array<std::string_view, kStyledVariants>, kStyles> kTexts = {{
      {"a line drawing of a {}.", "{}, outline icon", "an outline icon of a {}"},
      {"a silhouette of a {}.", "{}, filled icon", "a solid icon of a {}"},
      {"a grey drawing of a {}.", "{}, grey icon", "a grey icon of a {}"},
      {"a flat drawing of a {}.", "{}, colour icon", "a flat icon of a {}"},
      {"an emoji drawing of a {}.", "{}, emoji", "an emoji of a {}"},
  }};
  return filled_in(kTexts[static_cast<std::size_t>(style)][variant % kStyledVariants], name);
}

}  // namespace petlab::pretrain
