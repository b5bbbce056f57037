#include "decode.hpp"

#include <gif_lib.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace petlab::datasets {
namespace {

/// Where giflib's callback reads.
struct GifSource {
  std::span<const std::uint8_t> bytes;
  std::size_t position = 0;
};

int on_read(GifFileType* gif, GifByteType* out, int length) {
  auto* source = static_cast<GifSource*>(gif->UserData);
  const auto n =
      std::min(static_cast<std::size_t>(length), source->bytes.size() - source->position);
  if (n == 0) return 0;
  std::memcpy(out, source->bytes.data() + source->position, n);
  source->position += n;
  return static_cast<int>(n);
}

struct Closer {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};

class GifReader {
 public:
  GifReader(std::span<const std::uint8_t> bytes, const std::string& name)
      : source_{bytes}, name_(name) {
    int error = 0;
    gif_.reset(DGifOpen(&source_, on_read, &error));
    if (!gif_) damaged(name_, "GIF", reason(error));
  }

  Decoded first_frame() {
    seek_first_frame();
    const GifImageDesc& frame = gif_->Image;
    const auto left = static_cast<std::size_t>(frame.Left);
    const auto top = static_cast<std::size_t>(frame.Top);
    const auto frame_width = static_cast<std::size_t>(frame.Width);
    const auto frame_height = static_cast<std::size_t>(frame.Height);
    // A frame that sticks out of the canvas makes it larger, as in Pillow.
    const auto width = std::max(static_cast<std::size_t>(gif_->SWidth), left + frame_width);
    const auto height = std::max(static_cast<std::size_t>(gif_->SHeight), top + frame_height);
    check_size(width, height, name_);
    if (frame_width == 0 || frame_height == 0) damaged(name_, "GIF", "its first frame is empty");

    std::vector<std::uint8_t> indices(width * height,
                                      static_cast<std::uint8_t>(std::max(transparent_, 0)));
    const auto read_row = [&](std::size_t y) {
      check(DGifGetLine(gif_.get(), &indices[(top + y) * width + left], frame.Width));
    };
    if (frame.Interlace) {
      constexpr std::size_t kFirst[] = {0, 4, 2, 1};
      constexpr std::size_t kStep[] = {8, 8, 4, 2};
      for (std::size_t pass = 0; pass < 4; ++pass) {
        for (std::size_t y = kFirst[pass]; y < frame_height; y += kStep[pass])
          read_row(y);
      }
    } else {
      for (std::size_t y = 0; y < frame_height; ++y)
        read_row(y);
    }

    Decoded decoded;
    decoded.image.width = static_cast<int>(width);
    decoded.image.height = static_cast<int>(height);
    decoded.image.rgb = colours_of(indices, palette());
    if (transparent_ >= 0) {
      decoded.alpha.resize(indices.size());
      std::transform(indices.begin(), indices.end(), decoded.alpha.begin(),
                     [&](std::uint8_t i) { return i == transparent_ ? 0 : 255; });
    }
    return decoded;
  }

 private:
  static std::string reason(int error) {
    if (error == D_GIF_ERR_READ_FAILED || error == D_GIF_ERR_EOF_TOO_SOON) {
      return "the file is cut short";
    }
    const char* text = GifErrorString(error);
    return text != nullptr ? text : "its structure is wrong";
  }

  void check(int result) const {
    if (result != GIF_OK) damaged(name_, "GIF", reason(gif_->Error));
  }

  void seek_first_frame() {
    for (;;) {
      GifRecordType type = UNDEFINED_RECORD_TYPE;
      check(DGifGetRecordType(gif_.get(), &type));
      if (type == IMAGE_DESC_RECORD_TYPE) {
        check(DGifGetImageDesc(gif_.get()));
        return;
      }
      if (type == TERMINATE_RECORD_TYPE) damaged(name_, "GIF", "it holds no frame");
      read_extension();
    }
  }

  void read_extension() {
    int code = 0;
    GifByteType* block = nullptr;
    check(DGifGetExtension(gif_.get(), &code, &block));
    if (code == GRAPHICS_EXT_FUNC_CODE && block != nullptr && block[0] >= 4) {
      transparent_ = (block[1] & 1U) != 0 ? block[4] : -1;
    }
    while (block != nullptr)
      check(DGifGetExtensionNext(gif_.get(), &block));
  }

  /// A palette of (0,0,0), (1,1,1), ... or none means grey levels, also for indices beyond it.
  [[nodiscard]] Palette palette() const {
    const ColorMapObject* map =
        gif_->Image.ColorMap != nullptr ? gif_->Image.ColorMap : gif_->SColorMap;
    Palette colours{};
    bool grey = true;
    const int count = map != nullptr ? std::min(map->ColorCount, 256) : 0;
    for (int i = 0; i < count; ++i) {
      const GifColorType& c = map->Colors[i];
      grey = grey && c.Red == i && c.Green == i && c.Blue == i;
      colours[static_cast<std::size_t>(i)] = {c.Red, c.Green, c.Blue};
    }
    if (grey) {
      for (std::size_t i = 0; i < colours.size(); ++i)
        colours[i].fill(static_cast<std::uint8_t>(i));
    }
    return colours;
  }

  GifSource source_;
  std::string name_;
  std::unique_ptr<GifFileType, Closer> gif_;
  int transparent_ = -1;
};

}  // namespace

Decoded decode_gif(std::span<const std::uint8_t> bytes, const std::string& name) {
  return GifReader(bytes, name).first_frame();
}

}  // namespace petlab::datasets
