#pragma once

#include "petlab/pretrain/appearance.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::pretrain {

/// What is true of how a picture looks, one bit each; and what a caption says of it, in the same
/// bits. A caption is wrong for a picture that lacks one of its bits.
using FactBits = std::uint64_t;

namespace fact {
constexpr FactBits of(Style style) {
  return FactBits{1} << static_cast<unsigned>(style);
}
constexpr FactBits of(Colour colour) {
  return FactBits{1} << (static_cast<unsigned>(kStyles) + static_cast<unsigned>(colour));
}
inline constexpr unsigned kFirstOther = kStyles + kColours;
inline constexpr FactBits kColourful = FactBits{1} << kFirstOther;  ///< three hues or more
inline constexpr FactBits kThin = kColourful << 1U;
inline constexpr FactBits kBold = kColourful << 2U;
inline constexpr FactBits kSimple = kColourful << 3U;
inline constexpr FactBits kDetailed = kColourful << 4U;
inline constexpr FactBits kRounded = kColourful << 5U;
inline constexpr FactBits kSharp = kColourful << 6U;
inline constexpr FactBits kTwoTone = kColourful << 7U;
inline constexpr FactBits kPixel = kColourful << 8U;
inline constexpr FactBits kHandDrawn = kColourful << 9U;
inline constexpr FactBits kInverted = kColourful << 10U;  ///< light on dark
/// All bits that say which colours a picture has.
inline constexpr FactBits kAllColours = ((FactBits{1} << static_cast<unsigned>(kColours)) - 1)
                                        << static_cast<unsigned>(kStyles);
}  // namespace fact

/// What is known of one picture besides its subject.
struct PictureFacts {
  FactBits bits = 0;
  std::int32_t set = -1;        ///< number of its icon set; captions may name the set
  std::vector<Colour> colours;  ///< largest first, at most three
};

/// Facts from the pixels, and from the words of the names of icon and set that say how something is
/// drawn ("rounded", "duotone", "pixel"). Emoji are known from the set.
[[nodiscard]] PictureFacts facts_of(const Appearance& seen, bool is_emoji,
                                    const std::string& icon_name, const std::string& set_name,
                                    std::int32_t set);

/// What augmentation did to the colours of a picture.
struct ColourChange {
  bool is_inked = false;  ///< black became `ink`
  Colour ink = Colour::black;
  bool is_greyed = false;
  bool is_exchanged = false;  ///< channels changed places: colours are no longer known
  bool is_inverted = false;
};

/// The facts that still hold after a change of colours, and those that it made.
[[nodiscard]] PictureFacts changed(const PictureFacts& facts, const ColourChange& change);

}  // namespace petlab::pretrain
