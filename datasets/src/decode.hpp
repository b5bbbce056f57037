#pragma once

#include "petlab/datasets/image.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::datasets {

/// What a decoder finds in a file: everything that both views need.
struct Decoded {
  Image image;                           ///< as View::stored wants it
  std::vector<std::uint8_t> alpha = {};  ///< one value a pixel; empty when opaque
  /// The grey values (one a pixel) of a 16-bit grey picture, where the views differ; else empty.
  std::vector<std::uint16_t> grey16 = {};
  int orientation = 1;  ///< EXIF, 1..8
};

[[nodiscard]] Decoded decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name);
[[nodiscard]] Decoded decode_png(std::span<const std::uint8_t> bytes, const std::string& name);
[[nodiscard]] Decoded decode_webp(std::span<const std::uint8_t> bytes, const std::string& name);
[[nodiscard]] Decoded decode_gif(std::span<const std::uint8_t> bytes, const std::string& name);
[[nodiscard]] Decoded decode_bmp(std::span<const std::uint8_t> bytes, const std::string& name);

/// Whether the first bytes of a file (10 or more) are those of a format that decode_image() reads.
[[nodiscard]] bool is_known_picture(std::string_view bytes);

/// Throws base::Error(data) naming the picture unless both sides are at least 1, the area is at
/// most kMaxPixels and `bytes_per_pixel`, all that the decoder will hold at once, makes at most
/// kMaxDecodingBytes of it. To be called before pixels are allocated.
void check_size(std::uint64_t width, std::uint64_t height, const std::string& name,
                std::uint64_t bytes_per_pixel = kMaxDecodingBytes / kMaxPixels);

/// "NAME is a damaged FORMAT picture: WHY".
[[noreturn]] void damaged(const std::string& name, const char* format, const std::string& why);

/// Colours of an indexed picture. Indices without a colour are black, as in Pillow.
using Palette = std::array<std::array<std::uint8_t, 3>, 256>;
[[nodiscard]] std::vector<std::uint8_t> colours_of(std::span<const std::uint8_t> indices,
                                                   const Palette& palette);

/// The orientation (1..8) in an EXIF block that starts at its TIFF header; 1 when it has none or
/// cannot be read.
[[nodiscard]] int exif_orientation(std::span<const std::uint8_t> tiff);

/// Turns and mirrors the stored picture into the upright one.
[[nodiscard]] Image oriented(Image image, int orientation);

}  // namespace petlab::datasets
