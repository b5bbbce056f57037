#include "decode.hpp"

#include <algorithm>
#include <optional>

namespace petlab::datasets {
namespace {

/// Reads integers of a TIFF block; nothing when outside of it.
class TiffReader {
 public:
  TiffReader(std::span<const std::uint8_t> bytes, bool little) : bytes_(bytes), little_(little) {}

  [[nodiscard]] std::optional<std::uint32_t> read(std::size_t at, std::size_t length) const {
    if (at > bytes_.size() || length > bytes_.size() - at) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length; ++i) {
      value = (value << 8U) | bytes_[at + (little_ ? length - 1 - i : i)];
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool little_;
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> tiff) {
  constexpr std::uint32_t kOrientationTag = 0x0112;
  if (tiff.size() < 8) return 1;
  const bool little = tiff[0] == 'I';
  const TiffReader reader(tiff, little);
  if (reader.read(2, 2) != 42U) return 1;
  const std::size_t directory = reader.read(4, 4).value_or(0);
  const std::size_t entries = reader.read(directory, 2).value_or(0);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (reader.read(entry, 2) != kOrientationTag) continue;
    const int value = static_cast<int>(reader.read(entry + 8, 2).value_or(1));
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

Image oriented(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  Image result;
  result.width = transposed ? image.height : image.width;
  result.height = transposed ? image.width : image.height;
  result.rgb.resize(image.rgb.size());
  // Which way the stored columns and rows run, seen from the upright picture.
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      int sx = transposed ? y : x;
      int sy = transposed ? x : y;
      if (flip_x) sx = image.width - 1 - sx;
      if (flip_y) sy = image.height - 1 - sy;
      const auto from = (static_cast<std::size_t>(sy) * static_cast<std::size_t>(image.width) +
                         static_cast<std::size_t>(sx)) *
                        3;
      const auto to = (static_cast<std::size_t>(y) * static_cast<std::size_t>(result.width) +
                       static_cast<std::size_t>(x)) *
                      3;
      std::copy_n(&image.rgb[from], 3, &result.rgb[to]);
    }
  }
  return result;
}

}  // namespace petlab::datasets
