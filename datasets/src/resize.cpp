#include "petlab/datasets/resize.hpp"

#include "petlab/base/error.hpp"
#include "resize_weights.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace petlab::datasets {
namespace {

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double bilinear(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}

/// The wanted part of a resized picture.
struct Target {
  std::int64_t width;  // of the whole resized picture; may be huge for a long and thin one
  std::int64_t height;
  Stretch columns;
  Stretch rows;
  base::SquareFit::Filter filter = base::SquareFit::Filter::bicubic;
};

/// The order of the passes, which decides how roundings add up. Pillow passes horizontally first,
/// but since version 13 vertically first where the height shrinks by more than twice what the width
/// does.
bool rows_first(const Image& image, const Target& target) {
  return target.height < image.height &&
         image.height - target.height > 2 * (image.width - target.width);
}

/// Calls `emit(y, row)` for each wanted row of the resized picture, y from 0; the row has 3 bytes
/// for each wanted column.
template <typename Emit>
void resize_columns_first(const Image& image, const ResizeWeights& across,
                          const ResizeWeights& down, const Emit& emit) {
  constexpr std::size_t kSlack = ResizeKernels::kSlack;
  const ResizeKernels& kernels = best_kernels();
  const auto [first, last] = down.input();
  const std::size_t in_stride = std::size_t{3} * static_cast<std::size_t>(image.width);
  const std::size_t bytes = std::size_t{3} * across.size();
  const std::size_t stride = bytes + kSlack;
  thread_local std::vector<std::uint8_t> narrow;
  thread_local std::vector<std::uint8_t> row;
  narrow.resize(stride * static_cast<std::size_t>(last - first));
  row.resize(std::max(in_stride, bytes) + kSlack);
  const std::uint8_t* end = image.rgb.data() + image.rgb.size();
  for (std::int64_t y = first; y < last; ++y) {
    const std::uint8_t* in = image.rgb.data() + in_stride * static_cast<std::size_t>(y);
    if (static_cast<std::size_t>(end - in) < in_stride + kSlack) {
      std::memcpy(row.data(), in, in_stride);
      in = row.data();
    }
    kernels.row(in, across, &narrow[stride * static_cast<std::size_t>(y - first)]);
  }
  for (std::size_t y = 0; y < down.size(); ++y) {
    kernels.column(narrow.data(), first, stride, bytes, down, y, row.data());
    emit(y, static_cast<const std::uint8_t*>(row.data()));
  }
}

/// The same in the other order, row by row.
template <typename Emit>
void resize_rows_first(const Image& image, const ResizeWeights& across, const ResizeWeights& down,
                       const Emit& emit) {
  constexpr std::size_t kSlack = ResizeKernels::kSlack;
  const auto [first, last] = across.input();
  const std::size_t in_stride = std::size_t{3} * static_cast<std::size_t>(image.width);
  const std::size_t begin = std::size_t{3} * static_cast<std::size_t>(first);
  const std::size_t bytes = std::size_t{3} * static_cast<std::size_t>(last - first);
  const std::size_t safe = bytes / 16 * 16;  // of the picture nothing may be read behind its end
  thread_local std::vector<std::uint8_t> flat;
  thread_local std::vector<std::uint8_t> row;
  flat.resize(in_stride + kSlack);
  row.resize(std::size_t{3} * across.size() + kSlack);
  const std::uint8_t* in = image.rgb.data() + begin;
  for (std::size_t y = 0; y < down.size(); ++y) {
    best_kernels().column(in, 0, in_stride, safe, down, y, &flat[begin]);
    portable_kernels().column(in + safe, 0, in_stride, bytes - safe, down, y, &flat[begin + safe]);
    best_kernels().row(flat.data(), across, row.data());
    emit(y, static_cast<const std::uint8_t*>(row.data()));
  }
}

template <typename Emit>
void resize(const Image& image, const Target& target, const Emit& emit) {
  const ResizeWeights across(image.width, target.width, target.columns, target.filter);
  const ResizeWeights down(image.height, target.height, target.rows, target.filter);
  if (rows_first(image, target)) {
    resize_rows_first(image, across, down, emit);
  } else {
    resize_columns_first(image, across, down, emit);
  }
}

void check_sizes(const Image& image, int width, int height) {
  if (image.width >= 1 && image.height >= 1 && width >= 1 && height >= 1) return;
  throw base::Error(base::ErrorKind::data,
                    "cannot resize an image of " + std::to_string(image.width) + " x " +
                        std::to_string(image.height) + " to " + std::to_string(width) + " x " +
                        std::to_string(height) + " pixels: all sizes must be at least 1");
}

Image resized(const Image& image, const Target& target) {
  Image result{static_cast<int>(target.columns.end - target.columns.begin),
               static_cast<int>(target.rows.end - target.rows.begin),
               {}};
  const std::size_t stride = std::size_t{3} * static_cast<std::size_t>(result.width);
  result.rgb.resize(stride * static_cast<std::size_t>(result.height));
  resize(image, target, [&](std::size_t y, const std::uint8_t* row) {
    std::memcpy(&result.rgb[y * stride], row, stride);
  });
  return result;
}

Target clip_target(const Image& image, int size) {
  check_sizes(image, size, size);
  const std::int64_t shorter = std::min(image.width, image.height);
  const auto scaled = [&](int side) { return std::int64_t{size} * side / shorter; };
  const auto centre = [&](std::int64_t side) {
    const std::int64_t begin = (side - size) / 2;
    return Stretch{begin, begin + size};
  };
  const std::int64_t width = scaled(image.width);
  const std::int64_t height = scaled(image.height);
  return {width, height, centre(width), centre(height)};
}

Target square_target(const Image& image, int size, const base::SquareFit& how) {
  Target target = clip_target(image, size);
  if (how.shape == base::SquareFit::Shape::squash) target = {size, size, {0, size}, {0, size}};
  target.filter = how.filter;
  return target;
}

}  // namespace

ResizeWeights::ResizeWeights(int in_size, std::int64_t out_size, Stretch stretch,
                             base::SquareFit::Filter filter) {
  const bool is_bilinear = filter == base::SquareFit::Filter::bilinear;
  const double scale = in_size / static_cast<double>(out_size);
  const double filter_scale = std::max(scale, 1.0);
  const double support = (is_bilinear ? 1.0 : 2.0) * filter_scale;
  const auto bounds = [&](std::int64_t out) {
    const double centre = (static_cast<double>(out) + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int last = std::min(in_size, static_cast<int>(centre + support + 0.5));
    return Window{first, last - first};
  };
  const auto outputs = static_cast<std::size_t>(stretch.end - stretch.begin);
  int longest = 0;
  for (std::int64_t out = stretch.begin; out < stretch.end; ++out) {
    windows_.push_back(bounds(out));
    longest = std::max(longest, windows_.back().count);
  }
  padded_ = (longest + kGroup - 1) / kGroup * kGroup;
  weights_.assign(outputs * static_cast<std::size_t>(padded_), 0);
  split_.assign(weights_.size() * 2, 0);
  std::vector<double> k(static_cast<std::size_t>(padded_));
  for (std::size_t i = 0; i < outputs; ++i) {
    const double centre =
        (static_cast<double>(stretch.begin + static_cast<std::int64_t>(i)) + 0.5) * scale;
    const Window window = windows_[i];
    const auto count = static_cast<std::size_t>(window.count);
    double sum = 0;
    for (std::size_t t = 0; t < count; ++t) {
      const double x = (static_cast<int>(t) + window.first - centre + 0.5) * (1.0 / filter_scale);
      k[t] = is_bilinear ? bilinear(x) : bicubic(x);
      sum += k[t];
    }
    std::int32_t* fixed = &weights_[i * static_cast<std::size_t>(padded_)];
    std::int16_t* split = &split_[i * 2 * static_cast<std::size_t>(padded_)];
    for (std::size_t t = 0; t < count; ++t) {
      const double w = sum != 0.0 ? k[t] / sum : 0.0;
      fixed[t] = static_cast<std::int32_t>((w < 0 ? -0.5 : 0.5) + w * (1 << kPrecisionBits));
      const std::size_t at = t / kGroup * 2 * kGroup + t % kGroup;
      split[at] = static_cast<std::int16_t>(fixed[t] >> kLowerBits);
      split[at + kGroup] = static_cast<std::int16_t>(fixed[t] & ((1 << kLowerBits) - 1));
    }
  }
}

Stretch ResizeWeights::input() const {
  const Window last = windows_.back();  // both ends of a window only ever grow
  return {windows_.front().first, last.first + last.count};
}

Image resize_bicubic(const Image& image, int width, int height) {
  check_sizes(image, width, height);
  return resized(image, {width, height, {0, width}, {0, height}});
}

Image resize_bilinear(const Image& image, int width, int height) {
  check_sizes(image, width, height);
  return resized(image,
                 {width, height, {0, width}, {0, height}, base::SquareFit::Filter::bilinear});
}

Image clip_crop(const Image& image, int size) {
  return resized(image, clip_target(image, size));
}

Image fit_square(const Image& image, int size, const base::SquareFit& how) {
  return resized(image, square_target(image, size, how));
}

void clip_crop_planes(const Image& image, int size, std::span<std::uint8_t> planes,
                      const base::SquareFit& how) {
  const Target target = square_target(image, size, how);
  const auto width = static_cast<std::size_t>(size);
  const std::size_t area = width * width;
  if (planes.size() != 3 * area)
    throw base::Error(base::ErrorKind::internal, "clip_crop_planes: wrong size of the output");
  resize(image, target, [&](std::size_t y, const std::uint8_t* row) {
    std::uint8_t* out = planes.data() + y * width;
    for (std::size_t x = 0; x < width; ++x) {
      out[x] = row[3 * x];
      out[area + x] = row[3 * x + 1];
      out[2 * area + x] = row[3 * x + 2];
    }
  });
}

}  // namespace petlab::datasets
