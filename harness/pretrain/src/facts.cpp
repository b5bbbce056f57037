#include "petlab/pretrain/facts.hpp"

#include "petlab/pretrain/names.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace petlab::pretrain {

namespace {

// About a fifth of the outlines each; of all pictures for the two last.
constexpr double kThinShare = 0.22;
constexpr double kBoldShare = 0.41;
constexpr double kSimpleDensity = 1.9;
constexpr double kDetailedDensity = 4.3;
constexpr int kManyHues = 3;

constexpr std::array kWords = {
    std::pair{std::string_view("thin"), fact::kThin},
    std::pair{std::string_view("light"), fact::kThin},
    std::pair{std::string_view("bold"), fact::kBold},
    std::pair{std::string_view("rounded"), fact::kRounded},
    std::pair{std::string_view("round"), fact::kRounded},
    std::pair{std::string_view("sharp"), fact::kSharp},
    std::pair{std::string_view("duotone"), fact::kTwoTone},
    std::pair{std::string_view("twotone"), fact::kTwoTone},
    std::pair{std::string_view("pixel"), fact::kPixel},
    std::pair{std::string_view("pixelarticons"), fact::kPixel},
    std::pair{std::string_view("freehand"), fact::kHandDrawn},
    std::pair{std::string_view("pencil"), fact::kHandDrawn},
};

FactBits bits_of_words(std::string_view text, bool style_words_only) {
  FactBits bits = 0;
  for (const std::string& word : words_of(text)) {
    // "pencil" in the name of an icon is what is drawn; in the name of a set it is how.
    if (style_words_only && !is_style_word(word)) continue;
    for (const auto& [name, bit] : kWords)
      if (word == name) bits |= bit;
  }
  return bits;
}

}  // namespace

PictureFacts facts_of(const Appearance& seen, bool is_emoji, const std::string& icon_name,
                      const std::string& set_name, std::int32_t set) {
  const Style style = is_emoji && seen.style == Style::colour ? Style::emoji : seen.style;
  PictureFacts facts{.bits = fact::of(style), .set = set, .colours = seen.colours};
  facts.bits |= bits_of_words(icon_name, true) | bits_of_words(set_name, false);
  for (const Colour colour : seen.colours)
    facts.bits |= fact::of(colour);
  if (seen.hues >= kManyHues) facts.bits |= fact::kColourful;
  if (style == Style::outline) {
    if (seen.ink_share < kThinShare) facts.bits |= fact::kThin;
    if (seen.ink_share > kBoldShare) facts.bits |= fact::kBold;
  }
  if (seen.edge_density < kSimpleDensity) facts.bits |= fact::kSimple;
  if (seen.edge_density > kDetailedDensity) facts.bits |= fact::kDetailed;
  return facts;
}

PictureFacts changed(const PictureFacts& facts, const ColourChange& change) {
  PictureFacts result = facts;
  const auto replace_colours = [&](std::vector<Colour> colours) {
    result.bits &= ~(fact::kAllColours | fact::kColourful);
    result.colours = std::move(colours);
    for (const Colour colour : result.colours)
      result.bits |= fact::of(colour);
  };
  if (change.is_inked) replace_colours({change.ink});
  if (change.is_exchanged) replace_colours({});
  if (change.is_greyed) {
    replace_colours({Colour::grey});
    // A grey drawing is no longer "a coloured icon"; an emoji without colours is still one.
    result.bits &= ~fact::of(Style::colour);
  }
  if (change.is_inverted) {
    replace_colours({});
    result.bits |= fact::kInverted;
  }
  return result;
}

}  // namespace petlab::pretrain
