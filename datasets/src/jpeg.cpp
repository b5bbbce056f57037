#include "decode.hpp"
#include "petlab/sdk/error.hpp"

#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE declared before it
#include <cstdlib>

namespace petlab::datasets {
namespace {

/// libjpeg reports through callbacks; an error jumps back to the caller, a warning that means
/// missing picture data is treated as an error.
struct ErrorManager {
  jpeg_error_mgr base;  // first, so that libjpeg's pointer to it is a pointer to us
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  (*info->err->format_message)(info, manager->message);
  std::longjmp(manager->jump, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // trace output
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_MUST_RESYNC:
      on_error(info);
    default:
      ++info->err->num_warnings;  // harmless, e.g. stray bytes between markers
  }
}

void on_output(j_common_ptr) {}

/// Everything that must outlive the jump: no object with a destructor lives in a function that
/// libjpeg's error jumps out of.
struct Decoder {
  jpeg_decompress_struct info{};
  ErrorManager errors{};
  std::vector<std::uint8_t> samples;
  int orientation = 1;

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&info); }

  /// False on error; errors.message then says why.
  bool run(std::span<const std::uint8_t> bytes) {
    info.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = on_error;
    errors.base.emit_message = on_message;
    errors.base.output_message = on_output;
    if (setjmp(errors.jump) != 0) return false;  // NOLINT: libjpeg's own way of reporting
    jpeg_create_decompress(&info);
    jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);
    jpeg_mem_src(&info, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_read_header(&info, TRUE);
    find_orientation();
    const bool four = info.num_components == 4;
    info.out_color_space = four ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info);
    const auto stride = static_cast<std::size_t>(info.output_width) *
                        static_cast<std::size_t>(info.output_components);
    samples.resize(stride * info.output_height);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = samples.data() + stride * info.output_scanline;
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    return true;
  }

  void find_orientation() {
    constexpr std::size_t kHeader = 6;  // "Exif\0\0"
    for (const jpeg_marker_struct* m = info.marker_list; m != nullptr; m = m->next) {
      if (m->marker != JPEG_APP0 + 1 || m->data_length < kHeader + 8) continue;
      if (m->data[0] != 'E' || m->data[1] != 'x' || m->data[2] != 'i' || m->data[3] != 'f') {
        continue;
      }
      orientation = exif_orientation({m->data + kHeader, m->data_length - kHeader});
      return;
    }
  }
};

/// a * b / 255, rounded.
std::uint8_t multiply(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return static_cast<std::uint8_t>(((product >> 8U) + product) >> 8U);
}

/// CMYK JPEG files follow Adobe's convention: ink is stored inverted, 255 means none.
std::vector<std::uint8_t> rgb_from_cmyk(const std::vector<std::uint8_t>& cmyk) {
  std::vector<std::uint8_t> rgb(cmyk.size() / 4 * 3);
  for (std::size_t i = 0; i < cmyk.size() / 4; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[i * 3 + c] = multiply(cmyk[i * 4 + c], cmyk[i * 4 + 3]);
    }
  }
  return rgb;
}

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name) {
  Decoder decoder;
  if (!decoder.run(bytes)) {
    throw sdk::Error(sdk::ErrorKind::data,
                     name + " is a damaged JPEG picture: " + decoder.errors.message);
  }
  Image image;
  image.width = static_cast<int>(decoder.info.output_width);
  image.height = static_cast<int>(decoder.info.output_height);
  image.rgb = decoder.info.out_color_space == JCS_CMYK ? rgb_from_cmyk(decoder.samples)
                                                       : std::move(decoder.samples);
  return oriented(std::move(image), decoder.orientation);
}

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);  // encoding from memory to memory: only bad sizes can fail
  if (image.width < 1 || image.height < 1 || image.width > JPEG_MAX_DIMENSION ||
      image.height > JPEG_MAX_DIMENSION) {
    throw sdk::Error(sdk::ErrorKind::data, "a JPEG picture cannot be " +
                                               std::to_string(image.width) + " x " +
                                               std::to_string(image.height) + " pixels");
  }
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<JSAMPROW>(image.rgb.data() +
                                     std::size_t{3} * info.image_width * info.next_scanline);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::vector<std::uint8_t> bytes(buffer, buffer + size);
  std::free(buffer);
  return bytes;
}

}  // namespace petlab::datasets
