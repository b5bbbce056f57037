#include "decode.hpp"

#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

namespace petlab::datasets {
namespace {

constexpr const char* kFormat = "WebP";

/// The EXIF orientation of a WebP container.
int orientation_of(const WebPData& data) {
  const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> demuxer(WebPDemux(&data),
                                                                         WebPDemuxDelete);
  if (!demuxer) return 1;
  WebPChunkIterator chunk{};
  int orientation = 1;
  if (WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &chunk) != 0) {
    std::span<const std::uint8_t> exif(chunk.chunk.bytes, chunk.chunk.size);
    // Some writers copy the header that only JPEG has.
    if (exif.size() > 6 && exif[0] == 'E' && exif[1] == 'x') exif = exif.subspan(6);
    orientation = exif_orientation(exif);
  }
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

void split_alpha(const std::uint8_t* rgba, std::size_t pixels, Decoded& decoded) {
  decoded.image.rgb.resize(pixels * 3);
  decoded.alpha.resize(pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c)
      decoded.image.rgb[i * 3 + c] = rgba[i * 4 + c];
    decoded.alpha[i] = rgba[i * 4 + 3];
  }
}

/// What the library and petlab hold at once.
std::uint64_t bytes_per_pixel(const WebPBitstreamFeatures& features) {
  constexpr std::uint64_t kSplit = 4;  // colours and alpha, apart
  // Two canvases, and a frame in the library's own form.
  if (features.has_animation != 0) return 4 + 4 + 4 + kSplit;
  constexpr int kLossless = 2;
  const std::uint64_t own = features.format == kLossless ? 4 : 1;
  return features.has_alpha != 0 ? own + 4 + kSplit : own + 3;
}

/// The first frame, laid on its canvas.
void decode_animation(const WebPData& data, const std::string& name, Decoded& decoded) {
  const std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)> decoder(
      WebPAnimDecoderNew(&data, nullptr), WebPAnimDecoderDelete);
  if (!decoder) damaged(name, kFormat, "its frames cannot be read");
  WebPAnimInfo info{};
  WebPAnimDecoderGetInfo(decoder.get(), &info);
  std::uint8_t* rgba = nullptr;
  int timestamp = 0;
  if (WebPAnimDecoderGetNext(decoder.get(), &rgba, &timestamp) == 0) {
    damaged(name, kFormat, "its first frame cannot be read");
  }
  decoded.image.width = static_cast<int>(info.canvas_width);
  decoded.image.height = static_cast<int>(info.canvas_height);
  split_alpha(rgba, std::size_t{info.canvas_width} * info.canvas_height, decoded);
}

}  // namespace

Decoded decode_webp(std::span<const std::uint8_t> bytes, const std::string& name) {
  WebPBitstreamFeatures features{};
  const VP8StatusCode status = WebPGetFeatures(bytes.data(), bytes.size(), &features);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) damaged(name, kFormat, "the file is cut short");
  if (status != VP8_STATUS_OK) damaged(name, kFormat, "its header cannot be read");
  check_size(static_cast<std::uint64_t>(features.width),
             static_cast<std::uint64_t>(features.height), name, bytes_per_pixel(features));
  const WebPData data{bytes.data(), bytes.size()};
  Decoded decoded;
  decoded.orientation = orientation_of(data);
  if (features.has_animation != 0) {
    decode_animation(data, name, decoded);
    return decoded;
  }
  const auto pixels =
      static_cast<std::size_t>(features.width) * static_cast<std::size_t>(features.height);
  const bool alpha = features.has_alpha != 0;
  const int stride = features.width * (alpha ? 4 : 3);
  std::vector<std::uint8_t> samples(pixels * (alpha ? 4 : 3));
  const auto* result =
      alpha ? WebPDecodeRGBAInto(bytes.data(), bytes.size(), samples.data(), samples.size(), stride)
            : WebPDecodeRGBInto(bytes.data(), bytes.size(), samples.data(), samples.size(), stride);
  if (result == nullptr) damaged(name, kFormat, "its pixels cannot be read, or are cut short");
  decoded.image.width = features.width;
  decoded.image.height = features.height;
  if (alpha) {
    split_alpha(samples.data(), pixels, decoded);
  } else {
    decoded.image.rgb = std::move(samples);
  }
  return decoded;
}

}  // namespace petlab::datasets
