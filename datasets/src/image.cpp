#include "petlab/datasets/image.hpp"

#include "decode.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>
#include <string_view>

namespace petlab::datasets {
namespace {

using base::Error;
using base::ErrorKind;

/// Longer files are no pictures that petlab takes: kMaxPixels uncompressed are shorter.
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30U;

struct Format {
  Decoded (*decode)(std::span<const std::uint8_t> bytes, const std::string& name);
  std::string_view start;
  std::string_view at_8 = {};  ///< what follows at byte 8
};

constexpr Format kFormats[] = {
    {decode_jpeg, "\xFF\xD8\xFF"}, {decode_png, "\x89PNG\r\n\x1A\n"},
    {decode_webp, "RIFF", "WEBP"}, {decode_gif, "GIF87a"},
    {decode_gif, "GIF89a"},        {decode_bmp, "BM"},
};

const Format* format_of(std::string_view text) {
  const auto* format = std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& f) {
    return text.starts_with(f.start) &&
           (f.at_8.empty() ||
            text.substr(std::min<std::size_t>(8, text.size())).starts_with(f.at_8));
  });
  return format == std::end(kFormats) ? nullptr : format;
}

void lay_over_white(Image& image, const std::vector<std::uint8_t>& alpha) {
  for (std::size_t i = 0; i < alpha.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned colour = image.rgb[i * 3 + c];
      image.rgb[i * 3 + c] =
          static_cast<std::uint8_t>((colour * alpha[i] + 255U * (255U - alpha[i]) + 127U) / 255U);
    }
  }
}

void scale_grey16(Image& image, const std::vector<std::uint16_t>& grey) {
  for (std::size_t i = 0; i < grey.size(); ++i) {
    const auto value = static_cast<std::uint8_t>((grey[i] * 255U + 32767U) / 65535U);
    std::fill_n(&image.rgb[i * 3], 3, value);
  }
}

}  // namespace

bool is_known_picture(std::string_view bytes) {
  using namespace std::string_view_literals;
  const Format* format = format_of(bytes);
  // Two letters are little: a BMP's reserved bytes are zero.
  return format != nullptr && (format->decode != decode_bmp ||
                               (bytes.size() >= 10 && bytes.substr(6, 4) == "\0\0\0\0"sv));
}

void check_size(std::uint64_t width, std::uint64_t height, const std::string& name,
                std::uint64_t bytes_per_pixel) {
  if (width >= 1 && height >= 1 && width <= kMaxPixels && height <= kMaxPixels &&
      width * height <= kMaxPixels) {
    if (width * height <= kMaxDecodingBytes / bytes_per_pixel) return;
    throw Error(ErrorKind::data,
                name + " has " + std::to_string(width) + " x " + std::to_string(height) +
                    " pixels, and decoding it would take " +
                    std::to_string((width * height * bytes_per_pixel) >> 20U) +
                    " MB of memory, expected at most " + std::to_string(kMaxDecodingBytes >> 20U));
  }
  throw Error(ErrorKind::data, name + " has " + std::to_string(width) + " x " +
                                   std::to_string(height) + " pixels, expected 1 to " +
                                   std::to_string(kMaxPixels) + " of them");
}

void damaged(const std::string& name, const char* format, const std::string& why) {
  throw Error(ErrorKind::data, name + " is a damaged " + format + " image: " + why);
}

std::vector<std::uint8_t> colours_of(std::span<const std::uint8_t> indices,
                                     const Palette& palette) {
  std::vector<std::uint8_t> rgb(indices.size() * 3);
  for (std::size_t i = 0; i < indices.size(); ++i)
    std::copy_n(palette[indices[i]].data(), 3, &rgb[i * 3]);
  return rgb;
}

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name, View view) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const Format* format = format_of(text);
  if (format == nullptr) {
    if (base::is_lfs_pointer(text)) throw Error(ErrorKind::data, name + base::kLfsPointer);
    throw Error(ErrorKind::data, name + (bytes.empty() ? " is empty" : " is no image") +
                                     ", expected JPEG, PNG, WebP, BMP or GIF");
  }
  Decoded decoded = format->decode(bytes, name);
  if (view == View::stored) return std::move(decoded.image);
  scale_grey16(decoded.image, decoded.grey16);
  lay_over_white(decoded.image, decoded.alpha);
  return oriented(std::move(decoded.image), decoded.orientation);
}

Image decode_image(const std::filesystem::path& file, View view) {
  return decode_image(base::read_file(file, kMaxFileBytes), base::printable(file), view);
}

}  // namespace petlab::datasets
