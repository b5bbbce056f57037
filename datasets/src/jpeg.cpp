#include "decode.hpp"
#include "petlab/base/error.hpp"

#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE declared before it
#include <cstdlib>

namespace petlab::datasets {
namespace {

/// libjpeg reports through callbacks: an error jumps back to the caller, so does a warning that the
/// file has ended; the first warning of damaged picture data is kept.
struct ErrorManager {
  jpeg_error_mgr base;  // first, so that libjpeg's pointer to it is a pointer to us
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
  char warning[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  (*info->err->format_message)(info, manager->message);
  std::longjmp(manager->jump, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // trace output
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
      on_error(info);
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_MUST_RESYNC:
      if (manager->warning[0] == '\0') (*info->err->format_message)(info, manager->warning);
      break;
    default:  // harmless, e.g. stray bytes between markers
      break;
  }
}

void on_output(j_common_ptr) {}

/// A small file can ask for thousands of passes over a large picture.
void on_progress(j_common_ptr info) {
  constexpr int kMaxScans = 500;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  std::snprintf(manager->message, sizeof(manager->message), "it has more than %d scans", kMaxScans);
  std::longjmp(manager->jump, 1);
}

/// Everything that must outlive the jump: no object with a destructor lives in a function that
/// libjpeg's error jumps out of.
struct JpegDecoder {
  jpeg_decompress_struct info{};
  ErrorManager errors{};
  jpeg_progress_mgr progress{};
  std::vector<std::uint8_t> samples;
  int orientation = 1;

  JpegDecoder() = default;
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  ~JpegDecoder() { jpeg_destroy_decompress(&info); }

  /// False on error; errors.message then says why.
  bool read_header(std::span<const std::uint8_t> bytes) {
    info.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = on_error;
    errors.base.emit_message = on_message;
    errors.base.output_message = on_output;
    progress.progress_monitor = on_progress;
    if (setjmp(errors.jump) != 0) return false;  // NOLINT: libjpeg's own way of reporting
    jpeg_create_decompress(&info);
    info.progress = &progress;
    jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);
    jpeg_mem_src(&info, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_read_header(&info, TRUE);
    find_orientation();
    return true;
  }

  /// The same for the pixels.
  bool read_pixels() {
    if (setjmp(errors.jump) != 0) return false;  // NOLINT: libjpeg's own way of reporting
    info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info);
    const auto stride = static_cast<std::size_t>(info.output_width) *
                        static_cast<std::size_t>(info.output_components);
    samples.resize(stride * info.output_height);
    while (info.output_scanline < info.output_height) {
      constexpr JDIMENSION kRows = 4;
      JSAMPROW rows[kRows];
      for (JDIMENSION i = 0; i < kRows; ++i)
        rows[i] =
            samples.data() + stride * std::min(info.output_scanline + i, info.output_height - 1);
      jpeg_read_scanlines(&info, rows, kRows);
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

/// CMYK JPEG files follow Adobe's convention: ink is stored inverted, 255 means none. With Pillow's
/// rounding: white less black, less the share of that which the ink takes.
std::vector<std::uint8_t> rgb_from_cmyk(const std::vector<std::uint8_t>& cmyk) {
  std::vector<std::uint8_t> rgb(cmyk.size() / 4 * 3);
  for (std::size_t i = 0; i < cmyk.size() / 4; ++i) {
    const unsigned light = cmyk[i * 4 + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned product = (255U - cmyk[i * 4 + c]) * light + 128U;
      const unsigned taken = ((product >> 8U) + product) >> 8U;
      rgb[i * 3 + c] = static_cast<std::uint8_t>(light - taken);
    }
  }
  return rgb;
}

}  // namespace

Decoded decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name) {
  JpegDecoder decoder;
  if (!decoder.read_header(bytes)) {
    if (decoder.errors.base.msg_code == JERR_BAD_PRECISION) {
      throw base::Error(base::ErrorKind::data, name + " is a JPEG image of " +
                                                   std::to_string(decoder.info.data_precision) +
                                                   " bits a colour, expected 8");
    }
    damaged(name, "JPEG", decoder.errors.message);
  }
  const int components = decoder.info.num_components;
  if (components != 1 && components != 3 && components != 4) {
    throw base::Error(base::ErrorKind::data, name + " is a JPEG image of " +
                                                 std::to_string(components) +
                                                 " components, expected 1, 3 or 4");
  }
  // Pixels, and of a picture that comes in several scans all coefficients.
  const auto kept = static_cast<std::uint64_t>(components);
  const std::uint64_t pixels = components == 4 ? 4 + 3 : 3;
  const bool has_scans = jpeg_has_multiple_scans(&decoder.info) != 0;
  check_size(decoder.info.image_width, decoder.info.image_height, name,
             pixels + (has_scans ? 2 * kept : 0));
  if (!decoder.read_pixels()) damaged(name, "JPEG", decoder.errors.message);
  Decoded decoded;
  decoded.image.width = static_cast<int>(decoder.info.output_width);
  decoded.image.height = static_cast<int>(decoder.info.output_height);
  decoded.image.rgb = components == 4 ? rgb_from_cmyk(decoder.samples) : std::move(decoder.samples);
  decoded.image.damage = decoder.errors.warning;
  decoded.orientation = decoder.orientation;
  return decoded;
}

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);  // encoding from memory to memory: only bad sizes can fail
  if (image.width < 1 || image.height < 1 || image.width > JPEG_MAX_DIMENSION ||
      image.height > JPEG_MAX_DIMENSION) {
    throw base::Error(base::ErrorKind::data, "a JPEG image cannot be " +
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
