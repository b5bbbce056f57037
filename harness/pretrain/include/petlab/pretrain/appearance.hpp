#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace petlab::pretrain {

/// How a picture is drawn, measured from its pixels.
enum class Style : std::uint8_t { outline, solid, grey, colour, emoji };
inline constexpr int kStyles = 5;

/// Names of colours, in the order in which a caption may list equal shares.
enum class Colour : std::uint8_t {
  red,
  orange,
  yellow,
  green,
  blue,
  purple,
  pink,
  brown,
  black,
  grey,
  white
};
inline constexpr int kColours = 11;

[[nodiscard]] std::string_view name_of(Colour colour);

/// The nearest name of an 8-bit colour: by hue where it has one, else by lightness.
[[nodiscard]] Colour colour_of(int red, int green, int blue);

/// What the pixels say of a picture.
struct Appearance {
  Style style = Style::outline;  ///< `emoji` is never measured: it is known from the set
  std::vector<Colour> colours;   ///< of what is drawn, largest area first, three at most
  int hues = 0;             ///< how many colours, black, grey and white not counted, are in use
  double ink_share = 0;     ///< share of all pixels that are not paper
  double edge_density = 0;  ///< changes between ink and paper, for each row and column
  bool has_thick_parts = false;  ///< strokes wider than 5 pixels at 48 pixels a side
};

/// Measures 8-bit RGB on white, [size, size, 3]. A picture without ink has no colours.
[[nodiscard]] Appearance measure(const std::uint8_t* rgb, int size);

/// Only the style.
[[nodiscard]] Style style_of(const std::uint8_t* rgb, int size);

}  // namespace petlab::pretrain
