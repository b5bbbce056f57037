#include "petlab/engine/augmentation.hpp"

#include "petlab/datasets/resize.hpp"
#include "petlab/engine/seeds.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace petlab::engine {
namespace {

// Crop and flip draw from streams of their own, so that flip is the same flip in crop_flip.
bool flips(std::uint64_t image_seed) {
  return (base::SplitMix64(derive_seed(image_seed, {"flip"})).next() >> 63) != 0;
}

datasets::Image picture_of(const at::Tensor& planes) {
  const at::Tensor rows = planes.permute({1, 2, 0}).contiguous();  // [H, W, 3]
  const auto* bytes = rows.const_data_ptr<std::uint8_t>();
  return {static_cast<int>(rows.size(1)),
          static_cast<int>(rows.size(0)),
          {bytes, bytes + rows.numel()}};
}

datasets::Image cropped(const datasets::Image& image, const Crop& crop) {
  datasets::Image part{static_cast<int>(crop.width), static_cast<int>(crop.height), {}};
  part.rgb.reserve(static_cast<std::size_t>(3 * crop.width * crop.height));
  for (std::int64_t row = crop.top; row < crop.top + crop.height; ++row) {
    const auto start = image.rgb.begin() + 3 * (row * image.width + crop.left);
    part.rgb.insert(part.rgb.end(), start, start + 3 * crop.width);
  }
  return part;
}

}  // namespace

std::int64_t view_count(Augmentation augmentation) {
  switch (augmentation) {
    case Augmentation::none:
      return 1;
    case Augmentation::flip:
      return 2;
    case Augmentation::crop_flip:
      return 0;
  }
  return 0;
}

std::int64_t view_of(Augmentation augmentation, std::uint64_t image_seed) {
  return augmentation != Augmentation::none && flips(image_seed) ? 1 : 0;
}

bool draws_crops(Augmentation augmentation) {
  return augmentation == Augmentation::crop_flip;
}

Crop random_crop(std::int64_t height, std::int64_t width, std::uint64_t image_seed) {
  constexpr double kMinArea = 0.08;
  constexpr double kMinAspect = 3.0 / 4.0;
  constexpr double kMaxAspect = 4.0 / 3.0;
  constexpr int kTries = 10;
  base::SplitMix64 random(derive_seed(image_seed, {"crop"}));
  const auto whole_height = static_cast<double>(height);
  const auto whole_width = static_cast<double>(width);
  for (int i = 0; i < kTries; ++i) {
    const double area =
        whole_height * whole_width * (kMinArea + (1.0 - kMinArea) * random.uniform());
    const double log_min = std::log(kMinAspect);
    const double aspect = std::exp(log_min + (std::log(kMaxAspect) - log_min) * random.uniform());
    const std::int64_t crop_width = std::llround(std::sqrt(area * aspect));
    const std::int64_t crop_height = std::llround(std::sqrt(area / aspect));
    if (crop_width < 1 || crop_height < 1 || crop_width > width || crop_height > height) continue;
    const auto offset = [&random](std::int64_t room) {
      return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(room + 1)));
    };
    const std::int64_t top = offset(height - crop_height);
    const std::int64_t left = offset(width - crop_width);
    return {top, left, crop_height, crop_width};
  }
  // The largest crop in the centre.
  const double aspect = std::clamp(whole_width / whole_height, kMinAspect, kMaxAspect);
  const std::int64_t widest = std::llround(whole_height * aspect);
  const std::int64_t highest = std::llround(whole_width / aspect);
  const std::int64_t centre_width = std::min(width, widest);
  const std::int64_t centre_height = std::min(height, highest);
  return {(height - centre_height) / 2, (width - centre_width) / 2, centre_height, centre_width};
}

at::Tensor augment(const at::Tensor& image, Augmentation augmentation, std::uint64_t image_seed) {
  if (draws_crops(augmentation))
    return crop_and_flip(picture_of(image), image.size(-1), image_seed);
  return view_of(augmentation, image_seed) == 1 ? image.flip({2}) : image;
}

at::Tensor crop_and_flip(const datasets::Image& original, std::int64_t size,
                         std::uint64_t image_seed) {
  const Crop crop = random_crop(original.height, original.width, image_seed);
  const auto side = static_cast<int>(size);
  datasets::Image view = datasets::resize_bicubic(cropped(original, crop), side, side);
  const at::Tensor planes =
      at::from_blob(view.rgb.data(), {size, size, 3}, at::kByte).permute({2, 0, 1}).contiguous();
  return flips(image_seed) ? planes.flip({2}) : planes;
}

}  // namespace petlab::engine
