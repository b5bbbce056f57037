#include "decode.hpp"
#include "petlab/base/error.hpp"

#include <algorithm>
#include <bit>

namespace petlab::datasets {
namespace {

/// Reads a BMP picture of the kinds that Pillow reads. Own code, as no kept library does only this.
class BmpReader {
 public:
  BmpReader(std::span<const std::uint8_t> bytes, const std::string& name)
      : bytes_(bytes), name_(name) {}

  Decoded read() {
    read_header();
    check_size(width_, height_, name_);
    Decoded decoded;
    decoded.image.width = static_cast<int>(width_);
    decoded.image.height = static_cast<int>(height_);
    if (bits_ <= 8) {
      const Palette palette = read_palette();
      decoded.image.rgb = colours_of(
          compression_ == kRle8 || compression_ == kRle4 ? read_runs() : read_indices(), palette);
    } else {
      decoded.image.rgb = read_colours();
    }
    return decoded;
  }

 private:
  enum : std::uint32_t { kRaw = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3 };

  [[noreturn]] void cut_short() const { damaged(name_, "BMP", "the file is cut short"); }
  [[noreturn]] void unknown(const std::string& what) const {
    throw base::Error(base::ErrorKind::data,
                      name_ + " is a BMP image with " + what + ", which petlab does not read");
  }

  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t length) const {
    if (at > bytes_.size() || length > bytes_.size() - at) cut_short();
    std::uint32_t value = 0;
    for (std::size_t i = length; i-- > 0;)
      value = value << 8U | bytes_[at + i];
    return value;
  }

  void read_header() {
    pixels_at_ = number(10, 4);
    header_ = number(14, 4);
    if (header_ == 12) {
      width_ = number(18, 2);
      height_ = number(20, 2);
      bits_ = number(24, 2);
      palette_entry_ = 3;
    } else if (header_ == 40 || header_ == 52 || header_ == 56 || header_ == 64 || header_ == 108 ||
               header_ == 124) {
      width_ = number(18, 4);
      const std::uint32_t height = number(22, 4);
      top_down_ = height >> 31U != 0;
      height_ = top_down_ ? ~height + 1U : height;
      bits_ = number(28, 2);
      compression_ = number(30, 4);
      colours_ = number(46, 4);
    } else {
      unknown("a header of " + std::to_string(header_) + " bytes");
    }
    if (bits_ != 1 && bits_ != 4 && bits_ != 8 && bits_ != 16 && bits_ != 24 && bits_ != 32) {
      unknown(std::to_string(bits_) + " bits a pixel");
    }
    const bool runs =
        (compression_ == kRle8 && bits_ == 8) || (compression_ == kRle4 && bits_ == 4);
    const bool fields = compression_ == kBitFields && bits_ >= 16;
    if (compression_ != kRaw && !runs && !fields) {
      unknown("compression " + std::to_string(compression_) + " at " + std::to_string(bits_) +
              " bits a pixel");
    }
  }

  [[nodiscard]] Palette read_palette() {
    const std::size_t at = 14 + std::size_t{header_};
    const std::size_t count = colours_ != 0 ? colours_ : std::size_t{1} << bits_;
    if (count > 65536) unknown("a palette of " + std::to_string(count) + " colours");
    if (pixels_at_ == at) pixels_at_ += palette_entry_ * count;
    Palette palette{};
    for (std::size_t i = 0; i < std::min<std::size_t>(count, 256); ++i) {
      const std::uint32_t bgr = number(at + i * palette_entry_, 3);
      palette[i] = {static_cast<std::uint8_t>(bgr >> 16U), static_cast<std::uint8_t>(bgr >> 8U),
                    static_cast<std::uint8_t>(bgr)};
    }
    return palette;
  }

  /// The bytes of a stored row; rows are padded to 4 bytes and usually start at the bottom.
  [[nodiscard]] const std::uint8_t* row(std::size_t y) const {
    const std::size_t stride = (width_ * bits_ + 31) / 32 * 4;
    const std::size_t used = (width_ * bits_ + 7) / 8;
    const std::size_t stored = top_down_ ? y : height_ - 1 - y;
    const std::size_t at = pixels_at_ + stored * stride;
    if (at > bytes_.size() || used > bytes_.size() - at) cut_short();
    return &bytes_[at];
  }

  /// Before anything is allocated, that the rows are there.
  void check_rows() const {
    (void)row(0);
    (void)row(height_ - 1);
  }

  [[nodiscard]] std::vector<std::uint8_t> read_indices() const {
    check_rows();
    std::vector<std::uint8_t> indices(width_ * height_);
    const std::size_t mask = (std::size_t{1} << bits_) - 1;
    for (std::size_t y = 0; y < height_; ++y) {
      const std::uint8_t* in = row(y);
      for (std::size_t x = 0; x < width_; ++x) {
        const std::size_t bit = x * bits_;
        const std::size_t shift = 8 - bits_ - bit % 8;
        indices[y * width_ + x] =
            static_cast<std::uint8_t>(static_cast<std::size_t>(in[bit / 8]) >> shift & mask);
      }
    }
    return indices;
  }

  /// One colour's place in a pixel.
  struct Field {
    unsigned shift;
    unsigned limit;
  };

  [[nodiscard]] std::array<Field, 3> read_fields() const {
    std::array<std::uint32_t, 3> masks{0xFF0000, 0xFF00, 0xFF};
    if (bits_ == 16) masks = {0x7C00, 0x3E0, 0x1F};
    if (compression_ == kBitFields) {
      std::array<std::uint32_t, 3> found{};
      for (std::size_t i = 0; i < 3; ++i)
        found[i] = number(54 + 4 * i, 4);
      if (found != std::array<std::uint32_t, 3>{}) masks = found;
    }
    std::array<Field, 3> fields{};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto shift = static_cast<unsigned>(std::countr_zero(masks[i]));
      const unsigned limit = masks[i] == 0 ? 0 : masks[i] >> shift;
      const bool whole_byte = limit == 0xFF && shift % 8 == 0;
      if (bits_ == 16 ? limit != 0x1F && limit != 0x3F : !whole_byte) {
        unknown("unusual colour masks");
      }
      fields[i] = {shift, limit};
    }
    return fields;
  }

  [[nodiscard]] std::vector<std::uint8_t> read_colours() const {
    check_rows();
    const std::array<Field, 3> fields = read_fields();
    const std::size_t bytes_a_pixel = bits_ / 8;
    std::vector<std::uint8_t> rgb(width_ * height_ * 3);
    std::uint8_t* out = rgb.data();
    for (std::size_t y = 0; y < height_; ++y) {
      const std::uint8_t* in = row(y);
      for (std::size_t x = 0; x < width_; ++x, in += bytes_a_pixel) {
        std::uint32_t pixel = 0;
        for (std::size_t i = bytes_a_pixel; i-- > 0;)
          pixel = pixel << 8U | in[i];
        for (const Field& field : fields)
          *out++ =
              static_cast<std::uint8_t>((pixel >> field.shift & field.limit) * 255U / field.limit);
      }
    }
    return rgb;
  }

  /// Run-length coding: pairs of a count and an index (two of 4 bits), and escapes behind a 0: end
  /// of line, end of picture, a jump, or a stretch of plain indices. Skipped pixels have index 0.
  [[nodiscard]] std::vector<std::uint8_t> read_runs() const {
    const bool nibbles = compression_ == kRle4;
    const std::size_t total = width_ * height_;
    std::vector<std::uint8_t> stored(total);
    std::size_t at = pixels_at_;
    std::size_t filled = 0;
    std::size_t x = 0;
    const auto value_at = [&](std::size_t byte, std::size_t i) {
      const std::uint32_t pair = number(byte, 1);
      return static_cast<std::uint8_t>(!nibbles ? pair : i % 2 == 0 ? pair >> 4U : pair & 15U);
    };
    while (filled < total) {
      const std::size_t count = number(at, 1);
      const std::size_t escape = number(at + 1, 1);
      at += 2;
      if (count != 0) {  // what does not fit into the row is dropped
        const std::size_t fits = std::min({count, width_ - std::min(width_, x), total - filled});
        for (std::size_t i = 0; i < fits; ++i)
          stored[filled++] = value_at(at - 1, i);
        x += fits;
      } else if (escape == 0) {
        filled = (filled + width_ - 1) / width_ * width_;
        x = 0;
      } else if (escape == 1) {
        damaged(name_, "BMP", "it ends before its last row");
      } else if (escape == 2) {
        filled = std::min(total, filled + number(at, 1) + number(at + 1, 1) * width_);
        x = filled % width_;
        at += 2;
      } else {
        const std::size_t fits = std::min(escape, total - filled);
        for (std::size_t i = 0; i < fits; ++i)
          stored[filled++] = value_at(at + (nibbles ? i / 2 : i), i);
        x += escape;
        at += nibbles ? (fits + 1) / 2 : fits;
        at += at % 2;
      }
    }
    if (top_down_) return stored;
    std::vector<std::uint8_t> indices(total);
    for (std::size_t y = 0; y < height_; ++y)
      std::copy_n(&stored[(height_ - 1 - y) * width_], width_, &indices[y * width_]);
    return indices;
  }

  std::span<const std::uint8_t> bytes_;
  std::string name_;
  std::size_t pixels_at_ = 0;
  std::size_t header_ = 0;
  std::size_t width_ = 0;
  std::size_t height_ = 0;
  std::size_t bits_ = 0;
  std::size_t colours_ = 0;
  std::size_t palette_entry_ = 4;
  std::uint32_t compression_ = kRaw;
  bool top_down_ = false;
};

}  // namespace

Decoded decode_bmp(std::span<const std::uint8_t> bytes, const std::string& name) {
  return BmpReader(bytes, name).read();
}

}  // namespace petlab::datasets
