#pragma once

#include "petlab/base/random.hpp"
#include "petlab/pretrain/emoji_words.hpp"
#include "petlab/pretrain/facts.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::pretrain {

/// What a caption says of the picture besides its subject: then it is wrong for the same thing
/// drawn in another way.
struct Claims {
  FactBits bits = 0;
  std::int32_t set = -1;  ///< number of the icon set that it names; -1 = none

  [[nodiscard]] bool is_empty() const { return bits == 0 && set < 0; }
};

struct Caption {
  std::string text;
  Claims claims = {};
};

/// What captions of a picture may say. Everything is borrowed.
struct CaptionSource {
  const std::string& subject;                 ///< canonical
  const std::vector<std::string>& own_names;  ///< as its designer named it; the first is the icon's
  const std::vector<std::string>& topics;     ///< kinds of things it belongs to
  const std::vector<std::string>& keywords;   ///< what people think of
  const std::string& set_title;               ///< "material symbols"
};

/// How often captions are of which kind, in percent; the rest describes the picture.
struct CaptionShares {
  int bare = 35;   ///< the name alone
  int plain = 20;  ///< a sentence that is true of every picture: "a photo of a {}."
  /// Of all captions: with words around them that say nothing of the picture, as texts of the web
  /// have them ("free download", "item 2031").
  int noise = 0;
};

/// Draws a caption. The name is the designer's own, the common one or a synonym. A description is
/// put together from facts of the picture, each with its probability: medium and style, strokes,
/// colours, kind of thing, keywords, icon set.
[[nodiscard]] Caption draw_caption(const CaptionSource& source, const PictureFacts& facts,
                                   const CaptionShares& shares, base::SplitMix64& generator);

/// A sentence with the words for a style, as evaluation might use it: "a filled icon of a {}.".
/// `variant` chooses among several wordings.
[[nodiscard]] std::string styled_text(const std::string& name, Style style, std::size_t variant);
inline constexpr std::size_t kStyledVariants = 3;

}  // namespace petlab::pretrain
