#include "petlab/datasets/resize.hpp"

#include "petlab/sdk/error.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::datasets {
namespace {

/// 8 bits of pixel, 2 bits of head room for the kernel's overshoot, the rest for the weights.
constexpr int kPrecisionBits = 32 - 8 - 2;

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

/// For each output position: the first input position and its weights, in fixed point.
struct Weights {
  struct Window {
    int first = 0;
    int count = 0;
  };
  std::vector<Window> windows;
  std::vector<std::int32_t> weights;  // `stride` of them a window
  int stride = 0;
};

Weights make_weights(int in_size, int out_size) {
  const double scale = static_cast<double>(in_size) / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = 2.0 * filter_scale;
  Weights result;
  result.stride = static_cast<int>(std::ceil(support)) * 2 + 1;
  result.windows.resize(static_cast<std::size_t>(out_size));
  result.weights.assign(
      static_cast<std::size_t>(out_size) * static_cast<std::size_t>(result.stride), 0);
  std::vector<double> k(static_cast<std::size_t>(result.stride));
  for (int out = 0; out < out_size; ++out) {
    const double centre = (out + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int last = std::min(in_size, static_cast<int>(centre + support + 0.5));
    const int count = last - first;
    double sum = 0;
    for (int i = 0; i < count; ++i) {
      const double w = bicubic((i + first - centre + 0.5) * (1.0 / filter_scale));
      k[static_cast<std::size_t>(i)] = w;
      sum += w;
    }
    auto* fixed =
        &result.weights[static_cast<std::size_t>(out) * static_cast<std::size_t>(result.stride)];
    for (int i = 0; i < count; ++i) {
      const double w = sum != 0.0 ? k[static_cast<std::size_t>(i)] / sum : 0.0;
      fixed[i] = static_cast<std::int32_t>((w < 0 ? -0.5 : 0.5) + w * (1 << kPrecisionBits));
    }
    result.windows[static_cast<std::size_t>(out)] = {first, count};
  }
  return result;
}

std::uint8_t clip8(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

Image resize_columns(const Image& image, int width) {
  const Weights weights = make_weights(image.width, width);
  Image result{width, image.height, {}};
  result.rgb.resize(std::size_t{3} * static_cast<std::size_t>(width) *
                    static_cast<std::size_t>(image.height));
  std::uint8_t* out = result.rgb.data();
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* row = image.rgb.data() + std::size_t{3} * static_cast<std::size_t>(y) *
                                                     static_cast<std::size_t>(image.width);
    for (int x = 0; x < width; ++x) {
      const auto window = weights.windows[static_cast<std::size_t>(x)];
      const std::int32_t* k =
          &weights.weights[static_cast<std::size_t>(x) * static_cast<std::size_t>(weights.stride)];
      std::int32_t sum[3] = {1 << (kPrecisionBits - 1), 1 << (kPrecisionBits - 1),
                             1 << (kPrecisionBits - 1)};
      const std::uint8_t* in = row + std::ptrdiff_t{3} * window.first;
      for (int i = 0; i < window.count; ++i, in += 3) {
        for (int c = 0; c < 3; ++c)
          sum[c] += in[c] * k[i];
      }
      for (int c = 0; c < 3; ++c)
        *out++ = clip8(sum[c]);
    }
  }
  return result;
}

Image resize_rows(const Image& image, int height) {
  const Weights weights = make_weights(image.height, height);
  const auto stride = std::size_t{3} * static_cast<std::size_t>(image.width);
  Image result{image.width, height, {}};
  result.rgb.resize(stride * static_cast<std::size_t>(height));
  std::vector<std::int32_t> sums(stride);
  for (int y = 0; y < height; ++y) {
    const auto window = weights.windows[static_cast<std::size_t>(y)];
    const std::int32_t* k =
        &weights.weights[static_cast<std::size_t>(y) * static_cast<std::size_t>(weights.stride)];
    std::fill(sums.begin(), sums.end(), 1 << (kPrecisionBits - 1));
    for (int i = 0; i < window.count; ++i) {
      const std::uint8_t* in =
          image.rgb.data() + stride * static_cast<std::size_t>(window.first + i);
      for (std::size_t x = 0; x < stride; ++x)
        sums[x] += in[x] * k[i];
    }
    std::uint8_t* out = result.rgb.data() + stride * static_cast<std::size_t>(y);
    for (std::size_t x = 0; x < stride; ++x)
      out[x] = clip8(sums[x]);
  }
  return result;
}

}  // namespace

Image resize_bicubic(const Image& image, int width, int height) {
  if (image.width < 1 || image.height < 1 || width < 1 || height < 1) {
    throw sdk::Error(sdk::ErrorKind::data,
                     "cannot resize a picture of " + std::to_string(image.width) + " x " +
                         std::to_string(image.height) + " to " + std::to_string(width) + " x " +
                         std::to_string(height) + " pixels: all sizes must be at least 1");
  }
  // A pass that would change nothing is left out, as in Pillow.
  if (width == image.width && height == image.height) return image;
  if (width == image.width) return resize_rows(image, height);
  Image columns = resize_columns(image, width);
  return height == image.height ? columns : resize_rows(columns, height);
}

Image clip_crop(const Image& image, int size) {
  const std::int64_t shorter = std::min(image.width, image.height);
  const std::int64_t longer = std::max(image.width, image.height);
  if (shorter < 1) return resize_bicubic(image, size, size);  // throws
  const int scaled = static_cast<int>(size * longer / shorter);
  const bool wide = image.width >= image.height;
  const Image resized =
      wide ? resize_bicubic(image, scaled, size) : resize_bicubic(image, size, scaled);
  if (resized.width == size && resized.height == size) return resized;
  const auto left = static_cast<std::size_t>((resized.width - size) / 2);
  const auto top = static_cast<std::size_t>((resized.height - size) / 2);
  Image result{size, size, {}};
  result.rgb.reserve(std::size_t{3} * static_cast<std::size_t>(size) *
                     static_cast<std::size_t>(size));
  for (std::size_t y = 0; y < static_cast<std::size_t>(size); ++y) {
    const auto* row =
        &resized.rgb[((top + y) * static_cast<std::size_t>(resized.width) + left) * 3];
    result.rgb.insert(result.rgb.end(), row, row + std::size_t{3} * static_cast<std::size_t>(size));
  }
  return result;
}

}  // namespace petlab::datasets
