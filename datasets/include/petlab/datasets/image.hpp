#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace petlab::datasets {

/// A decoded picture: 8-bit RGB, rows from the top, [height, width, 3] without padding.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;
};

/// Decodes a JPEG or PNG picture; which of the two is told by its first bytes, not by its name.
/// Grey, palette, CMYK and 16-bit pictures become 8-bit RGB; transparency is laid over white; the
/// EXIF orientation is applied. Throws sdk::Error(data) that names the picture when it is neither
/// format, damaged or cut short: a half-read picture is never returned.
[[nodiscard]] Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name);
[[nodiscard]] Image decode_image(const std::filesystem::path& file);

/// A PNG file (8-bit RGB). The same picture gives the same bytes with the same zlib.
[[nodiscard]] std::vector<std::uint8_t> encode_png(const Image& image);

/// A baseline JPEG file; `quality` in 1..100.
[[nodiscard]] std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality);

}  // namespace petlab::datasets
