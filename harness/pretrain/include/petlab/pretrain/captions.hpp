#pragma once

#include "petlab/datasets/random.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::pretrain {

/// How a picture looks, measured from its pixels.
enum class Style : std::uint8_t { outline, solid, grey, colour, emoji };
inline constexpr int kStyles = 5;

/// Measures the style of a picture: 8-bit RGB on white, [size, size, 3]. `emoji` is never returned:
/// it is known from the set, not seen.
[[nodiscard]] Style style_of(const std::uint8_t* rgb, int size);

/// A caption, and whether it also says the style: then it is wrong for the same thing in another
/// style.
struct Caption {
  std::string text;
  bool names_style = false;
};

/// Draws a caption of a subject in a style: the bare subject (or a synonym), a plain sentence, or
/// one that names the style.
[[nodiscard]] Caption draw_caption(const std::string& subject, Style style,
                                   datasets::SplitMix64& generator);

/// Every text that draw_caption() may give, with weights, for training the vocabulary.
[[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> caption_corpus(
    const std::vector<std::pair<std::string, std::int64_t>>& subjects_with_counts);

}  // namespace petlab::pretrain
