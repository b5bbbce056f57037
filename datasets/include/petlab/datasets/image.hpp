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
  /// What the JPEG decoder complained about although it gave a whole picture; empty for a sound
  /// file. Python's loaders take such pictures without a word, so petlab takes them too.
  std::string damage = {};
};

/// What of a file becomes a picture.
enum class View {
  /// What the published pipelines of OpenAI, Dassl and torchvision train and test on, Pillow's
  /// `Image.open(file).convert("RGB")`: pixels in the order they are stored in, so that the EXIF
  /// orientation does not count; the colours under transparent pixels; 16-bit grey cut off at 255.
  stored,
  /// What a viewer shows: turned upright by EXIF, transparency laid over white, 16-bit grey scaled.
  shown,
};

/// More pixels are refused before anything is allocated. Pillow's limit.
inline constexpr std::uint64_t kMaxPixels = 178'956'970;

/// Nor may decoding a picture take more memory, whatever its format keeps besides the pixels: a few
/// kilobytes can claim any size. A picture that would is refused from its header.
inline constexpr std::uint64_t kMaxDecodingBytes = std::uint64_t{1} << 30U;

/// Decodes a JPEG, PNG, WebP, BMP or GIF (first frame) picture; which of them is told by its first
/// bytes, not by its name. Safe on hostile bytes. Throws base::Error(data) that names the picture
/// when it is none of these, has more than kMaxPixels pixels or would
/// take more than kMaxDecodingBytes, is cut short, or is damaged so that
/// its decoder gives no whole picture.
[[nodiscard]] Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                                 View view = View::stored);

/// The same for a file. Throws base::Error(data) also for a file that cannot be read.
[[nodiscard]] Image decode_image(const std::filesystem::path& file, View view = View::stored);

/// A PNG file (8-bit RGB). The same picture gives the same bytes with the same zlib.
[[nodiscard]] std::vector<std::uint8_t> encode_png(const Image& image);

/// A baseline JPEG file; `quality` in 1..100.
[[nodiscard]] std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality);

}  // namespace petlab::datasets
