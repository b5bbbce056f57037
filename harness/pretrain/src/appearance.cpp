#include "petlab/pretrain/appearance.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace petlab::pretrain {

namespace {

constexpr std::array<std::string_view, kColours> kColourNames = {
    "red",  "orange", "yellow", "green", "blue", "purple",
    "pink", "brown",  "black",  "grey",  "white"};

// A pixel is coloured when its channels differ by more than rendering noise, inked when it is dark,
// grey when it is neither black nor white; thin strokes vanish under a 5 x 5 erosion.
constexpr int kPaper = 245;
constexpr int kChroma = 40;
constexpr int kInk = 128;
constexpr double kColouredShare = 0.02;
constexpr double kGreyShare = 0.35;
constexpr double kThickShare = 0.12;
constexpr int kReach = 2;

/// A colour is named when it covers so much of what is drawn; smoothed edges cover less.
constexpr double kNamedShare = 0.12;
constexpr double kHueShare = 0.04;
constexpr std::size_t kMaxNamed = 3;

constexpr bool is_hue(Colour colour) {
  return colour < Colour::black;
}

/// What one pass over the pixels counts.
struct Counts {
  int coloured = 0;
  int drawn = 0;
  int grey = 0;
  int thick = 0;
  int edges = 0;
  std::array<int, kColours> of_colour{};
};

Counts count(const std::uint8_t* rgb, int size) {
  const auto pixel = [&](int y, int x) { return rgb + (y * size + x) * 3; };
  const auto lowest = [&](int y, int x) {
    return static_cast<int>(*std::min_element(pixel(y, x), pixel(y, x) + 3));
  };
  Counts counts;
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const bool ink = lowest(y, x) < kInk;
      if (x > 0 && ink != (lowest(y, x - 1) < kInk)) ++counts.edges;
      if (y > 0 && ink != (lowest(y - 1, x) < kInk)) ++counts.edges;
      const std::uint8_t* const p = pixel(y, x);
      const auto [low, high] = std::minmax_element(p, p + 3);
      if (*low > kPaper) continue;
      ++counts.drawn;
      ++counts.of_colour[static_cast<std::size_t>(colour_of(p[0], p[1], p[2]))];
      if (*high - *low > kChroma) ++counts.coloured;
      if (*low > 90 && *low < 235) ++counts.grey;
      bool is_thick = ink && y >= kReach && x >= kReach && y + kReach < size && x + kReach < size;
      for (int dy = -kReach; is_thick && dy <= kReach; ++dy)
        for (int dx = -kReach; is_thick && dx <= kReach; ++dx)
          is_thick = lowest(y + dy, x + dx) < kInk;
      if (is_thick) ++counts.thick;
    }
  }
  return counts;
}

Style style_from(const Counts& counts, int size) {
  const double area = static_cast<double>(std::max(counts.drawn, 1));
  if (counts.coloured > kColouredShare * area) return Style::colour;
  if (counts.thick > kThickShare * area) return Style::solid;
  // Smoothed edges are grey as well: only a large share is a second tone.
  if (counts.grey > kGreyShare * area && counts.thick == 0 && counts.drawn > size * size / 4)
    return Style::grey;
  return Style::outline;
}

}  // namespace

std::string_view name_of(Colour colour) {
  return kColourNames[static_cast<std::size_t>(colour)];
}

Colour colour_of(int red, int green, int blue) {
  const int high = std::max({red, green, blue});
  const int low = std::min({red, green, blue});
  const int chroma = high - low;
  if (chroma <= kChroma) {
    if (high < 90) return Colour::black;
    return low > 220 ? Colour::white : Colour::grey;
  }
  // Hue in degrees, as in HSV.
  double hue = 0;
  if (high == red)
    hue = 60.0 * static_cast<double>(green - blue) / chroma;
  else if (high == green)
    hue = 120.0 + 60.0 * static_cast<double>(blue - red) / chroma;
  else
    hue = 240.0 + 60.0 * static_cast<double>(red - green) / chroma;
  if (hue < 0) hue += 360;
  const bool is_dark = high < 160;
  const bool is_pale = low > 150;
  if (hue < 15 || hue >= 345)
    return is_pale ? Colour::pink : is_dark && chroma < 90 ? Colour::brown : Colour::red;
  if (hue < 42) return high < 190 ? Colour::brown : Colour::orange;
  if (hue < 68) return is_dark ? Colour::brown : Colour::yellow;
  if (hue < 170) return Colour::green;
  if (hue < 255) return Colour::blue;
  if (hue < 295) return Colour::purple;
  return Colour::pink;
}

Appearance measure(const std::uint8_t* rgb, int size) {
  const Counts counts = count(rgb, size);
  Appearance result;
  result.style = style_from(counts, size);
  result.has_thick_parts = counts.thick > kThickShare * std::max(counts.drawn, 1);
  result.ink_share = static_cast<double>(counts.drawn) / static_cast<double>(size * size);
  result.edge_density = static_cast<double>(counts.edges) / static_cast<double>(2 * size);
  std::array<std::size_t, kColours> order{};
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return counts.of_colour[a] > counts.of_colour[b];
  });
  const bool has_colour = result.style == Style::colour;
  for (const std::size_t index : order) {
    const auto colour = static_cast<Colour>(index);
    const double share = static_cast<double>(counts.of_colour[index]) /
                         static_cast<double>(std::max(counts.drawn, 1));
    if (has_colour && is_hue(colour) && share > kHueShare) ++result.hues;
    // Smoothed black lines are grey at their edges, and nothing else is black and white.
    const bool is_named = has_colour ? share > kNamedShare : colour == Colour::black;
    if (is_named && share > 0 && result.colours.size() < kMaxNamed)
      result.colours.push_back(colour);
  }
  return result;
}

Style style_of(const std::uint8_t* rgb, int size) {
  return style_from(count(rgb, size), size);
}

}  // namespace petlab::pretrain
