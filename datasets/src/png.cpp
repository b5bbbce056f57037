#include "decode.hpp"
#include "petlab/base/error.hpp"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

namespace petlab::datasets {
namespace {

/// Where libpng's callbacks read, and what they say.
struct PngSource {
  std::span<const std::uint8_t> bytes;
  std::size_t position = 0;
  char message[128] = "";
};

void on_read(png_structp png, png_bytep out, std::size_t length) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (length > source->bytes.size() - source->position) png_error(png, "the file is cut short");
  std::memcpy(out, source->bytes.data() + source->position, length);
  source->position += length;
}

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* source = static_cast<PngSource*>(png_get_error_ptr(png));
  std::strncpy(source->message, message, sizeof(source->message) - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

/// As for JPEG: what must outlive libpng's jump lives here.
struct PngDecoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  PngSource source;
  std::vector<std::uint8_t> samples;
  std::vector<png_bytep> rows;
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t channels = 0;
  int type = 0;   // PNG_COLOR_TYPE_...
  int depth = 0;  // bits a sample in the file
  int orientation = 1;

  PngDecoder() = default;
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }

  /// False on error; source.message then says why.
  bool read_header(std::span<const std::uint8_t> bytes) {
    source.bytes = bytes;
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning);
    info = png != nullptr ? png_create_info_struct(png) : nullptr;
    if (info == nullptr) return false;
    if (setjmp(png_jmpbuf(png)) != 0) return false;  // NOLINT: libpng's own way of reporting
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size limits
    png_set_read_fn(png, &source, on_read);
    png_read_info(png, info);
    width = png_get_image_width(png, info);
    height = png_get_image_height(png, info);
    type = png_get_color_type(png, info);
    depth = png_get_bit_depth(png, info);
    return true;
  }

  /// The samples one byte each, two for 16-bit grey; palettes and transparency are left to us.
  bool read_pixels() {
    if (setjmp(png_jmpbuf(png)) != 0) return false;  // NOLINT: libpng's own way of reporting
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_packing(png);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
    if (type != PNG_COLOR_TYPE_GRAY && depth == 16) png_set_strip_16(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    channels = png_get_channels(png, info);
    const std::size_t stride = png_get_rowbytes(png, info);
    samples.resize(stride * height);
    rows.resize(height);
    for (std::size_t y = 0; y < height; ++y)
      rows[y] = samples.data() + y * stride;
    png_read_image(png, rows.data());
    png_read_end(png, info);
    png_bytep exif = nullptr;
    png_uint_32 exif_size = 0;
    if (png_get_eXIf_1(png, info, &exif_size, &exif) != 0) {
      orientation = exif_orientation({exif, exif_size});
    }
    return true;
  }
};

/// The palette's colours, and the transparency where the file has some.
void map_palette(const PngDecoder& decoder, Decoded& decoded) {
  Palette palette{};
  png_colorp colours = nullptr;
  int count = 0;
  if (png_get_PLTE(decoder.png, decoder.info, &colours, &count) != 0) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
      palette[i] = {colours[i].red, colours[i].green, colours[i].blue};
  }
  decoded.image.rgb = colours_of(decoder.samples, palette);
  png_bytep alpha = nullptr;
  count = 0;
  if (png_get_tRNS(decoder.png, decoder.info, &alpha, &count, nullptr) == 0) return;
  decoded.alpha.resize(decoder.samples.size(), 255);
  for (std::size_t i = 0; i < decoder.samples.size(); ++i) {
    if (decoder.samples[i] < count) decoded.alpha[i] = alpha[decoder.samples[i]];
  }
}

/// 16-bit grey: what is above 255 is 255 (View::stored).
void map_grey16(const PngDecoder& decoder, Decoded& decoded) {
  const std::size_t pixels = decoder.samples.size() / 2;
  decoded.grey16.resize(pixels);
  decoded.image.rgb.resize(pixels * 3);
  for (std::size_t i = 0; i < pixels; ++i) {
    const unsigned value = decoder.samples[i * 2] * 256U + decoder.samples[i * 2 + 1];
    decoded.grey16[i] = static_cast<std::uint16_t>(value);
    std::fill_n(&decoded.image.rgb[i * 3], 3, static_cast<std::uint8_t>(std::min(value, 255U)));
  }
}

/// Grey or RGB, each with or without alpha.
void map_channels(PngDecoder& decoder, Decoded& decoded) {
  const std::size_t channels = decoder.channels;
  if (channels == 3) {
    decoded.image.rgb = std::move(decoder.samples);
    return;
  }
  const std::size_t pixels = decoder.samples.size() / channels;
  decoded.image.rgb.resize(pixels * 3);
  if (channels != 1) decoded.alpha.resize(pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint8_t* in = &decoder.samples[i * channels];
    for (std::size_t c = 0; c < 3; ++c)
      decoded.image.rgb[i * 3 + c] = in[channels < 3 ? 0 : c];
    if (channels != 1) decoded.alpha[i] = in[channels - 1];
  }
}

/// The one transparent colour that a grey or RGB picture can name.
void map_key(const PngDecoder& decoder, Decoded& decoded) {
  png_color_16p key = nullptr;
  if (png_get_tRNS(decoder.png, decoder.info, nullptr, nullptr, &key) == 0 || key == nullptr)
    return;
  const std::size_t pixels = decoder.width * decoder.height;
  decoded.alpha.assign(pixels, 255);
  const bool grey = decoder.type == PNG_COLOR_TYPE_GRAY;
  // Of 16 bits a colour only the upper 8 are left to compare.
  const auto level = [&](unsigned value) {
    if (decoder.depth == 16) return value >> 8U;
    return grey ? value * 255U / ((1U << static_cast<unsigned>(decoder.depth)) - 1U) : value;
  };
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint8_t* rgb = &decoded.image.rgb[i * 3];
    const bool hit = !decoded.grey16.empty() ? decoded.grey16[i] == key->gray
                     : grey ? rgb[0] == level(key->gray)
                            : rgb[0] == level(key->red) && rgb[1] == level(key->green) &&
                                  rgb[2] == level(key->blue);
    if (hit) decoded.alpha[i] = 0;
  }
}

/// Samples as they are read, what is made of them, and a pointer a row, which counts where rows are
/// narrow.
std::uint64_t bytes_per_pixel(const PngDecoder& decoder) {
  const bool wide = decoder.type == PNG_COLOR_TYPE_GRAY && decoder.depth == 16;
  const std::uint64_t stored = decoder.type == PNG_COLOR_TYPE_RGB_ALPHA    ? 4 + 4
                               : decoder.type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2 + 4
                               : wide                                      ? 2 + 2 + 3 + 1
                                                                           : 5;
  const std::uint64_t width = std::max<std::uint64_t>(decoder.width, 1);
  return stored + sizeof(png_bytep) / width;
}

}  // namespace

Decoded decode_png(std::span<const std::uint8_t> bytes, const std::string& name) {
  PngDecoder decoder;
  if (!decoder.read_header(bytes)) damaged(name, "PNG", decoder.source.message);
  check_size(decoder.width, decoder.height, name, bytes_per_pixel(decoder));
  if (!decoder.read_pixels()) damaged(name, "PNG", decoder.source.message);
  Decoded decoded;
  decoded.image.width = static_cast<int>(decoder.width);
  decoded.image.height = static_cast<int>(decoder.height);
  decoded.orientation = decoder.orientation;
  if (decoder.type == PNG_COLOR_TYPE_PALETTE) {
    map_palette(decoder, decoded);
    return decoded;
  }
  if (decoder.type == PNG_COLOR_TYPE_GRAY && decoder.depth == 16) {
    map_grey16(decoder, decoded);
  } else {
    map_channels(decoder, decoded);
  }
  if ((static_cast<unsigned>(decoder.type) & PNG_COLOR_MASK_ALPHA) == 0) map_key(decoder, decoded);
  return decoded;
}

std::vector<std::uint8_t> encode_png(const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::vector<std::uint8_t> bytes(size);
  if (png_image_write_to_memory(&header, bytes.data(), &size, /*convert_to_8_bit=*/0,
                                image.rgb.data(), /*row_stride=*/0, nullptr) == 0) {
    throw base::Error(base::ErrorKind::data,
                      std::string("cannot write a PNG image: ") + header.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace petlab::datasets
