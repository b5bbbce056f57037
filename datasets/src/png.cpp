#include "decode.hpp"
#include "petlab/sdk/error.hpp"

#include <png.h>

#include <csetjmp>
#include <cstring>

namespace petlab::datasets {
namespace {

/// Where libpng's callbacks read, and what they say.
struct Source {
  std::span<const std::uint8_t> bytes;
  std::size_t position = 0;
  char message[128] = "";
};

void on_read(png_structp png, png_bytep out, std::size_t length) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (length > source->bytes.size() - source->position) png_error(png, "the file is cut short");
  std::memcpy(out, source->bytes.data() + source->position, length);
  source->position += length;
}

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::strncpy(source->message, message, sizeof(source->message) - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

/// As for JPEG: what must outlive libpng's jump lives here.
struct Decoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  Source source;
  std::vector<std::uint8_t> rgba;
  std::vector<png_bytep> rows;
  int width = 0;
  int height = 0;
  int orientation = 1;

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }

  bool run(std::span<const std::uint8_t> bytes) {
    source.bytes = bytes;
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning);
    info = png != nullptr ? png_create_info_struct(png) : nullptr;
    if (info == nullptr) return false;
    if (setjmp(png_jmpbuf(png)) != 0) return false;  // NOLINT: libpng's own way of reporting
    png_set_read_fn(png, &source, on_read);
    png_read_info(png, info);
    png_set_expand(png);  // palette -> RGB, 1/2/4 bit grey -> 8 bit, tRNS -> alpha
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xFF, PNG_FILLER_AFTER);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    width = static_cast<int>(png_get_image_width(png, info));
    height = static_cast<int>(png_get_image_height(png, info));
    const std::size_t stride = png_get_rowbytes(png, info);
    rgba.resize(stride * static_cast<std::size_t>(height));
    rows.resize(static_cast<std::size_t>(height));
    for (std::size_t y = 0; y < rows.size(); ++y)
      rows[y] = rgba.data() + y * stride;
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

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name) {
  Decoder decoder;
  if (!decoder.run(bytes)) {
    throw sdk::Error(sdk::ErrorKind::data,
                     name + " is a damaged PNG picture: " + decoder.source.message);
  }
  Image image;
  image.width = decoder.width;
  image.height = decoder.height;
  image.rgb.resize(decoder.rgba.size() / 4 * 3);
  for (std::size_t i = 0; i < decoder.rgba.size() / 4; ++i) {
    const std::uint8_t* pixel = &decoder.rgba[i * 4];
    const unsigned alpha = pixel[3];
    for (std::size_t c = 0; c < 3; ++c) {
      image.rgb[i * 3 + c] =
          static_cast<std::uint8_t>((pixel[c] * alpha + 255U * (255U - alpha) + 127U) / 255U);
    }
  }
  return oriented(std::move(image), decoder.orientation);
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
    throw sdk::Error(sdk::ErrorKind::data,
                     std::string("cannot write a PNG picture: ") + header.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace petlab::datasets
