#include "petlab/engine/augmentation.hpp"

#include "petlab/engine/seeds.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace petlab::engine {
namespace {

// Crop and flip draw from streams of their own, so that flip is the same flip in crop_flip.
bool flips(std::uint64_t image_seed) {
  return (base::SplitMix64(derive_seed(image_seed, {"flip"})).next() >> 63) != 0;
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

Crop random_crop(std::int64_t size, std::uint64_t image_seed) {
  constexpr double kMinArea = 0.08;
  constexpr double kMinAspect = 3.0 / 4.0;
  constexpr double kMaxAspect = 4.0 / 3.0;
  constexpr int kTries = 10;
  base::SplitMix64 random(derive_seed(image_seed, {"crop"}));
  const auto side = static_cast<double>(size);
  for (int i = 0; i < kTries; ++i) {
    const double area = side * side * (kMinArea + (1.0 - kMinArea) * random.uniform());
    const double log_min = std::log(kMinAspect);
    const double aspect = std::exp(log_min + (std::log(kMaxAspect) - log_min) * random.uniform());
    const std::int64_t width = std::llround(std::sqrt(area * aspect));
    const std::int64_t height = std::llround(std::sqrt(area / aspect));
    if (width < 1 || height < 1 || width > size || height > size) continue;
    const auto offset = [&random, size](std::int64_t length) {
      return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(size - length + 1)));
    };
    const std::int64_t top = offset(height);
    const std::int64_t left = offset(width);
    return {top, left, height, width};
  }
  return {0, 0, size, size};  // the largest centre crop of a square
}

at::Tensor augment(const at::Tensor& image, Augmentation augmentation, std::uint64_t image_seed) {
  at::Tensor view = image;
  if (augmentation == Augmentation::crop_flip) {
    const std::int64_t size = image.size(-1);
    const Crop crop = random_crop(size, image_seed);
    const at::Tensor part = image.narrow(1, crop.top, crop.height)
                                .narrow(2, crop.left, crop.width)
                                .to(at::kFloat)
                                .unsqueeze(0);
    view = at::_upsample_bicubic2d_aa(part, std::array<std::int64_t, 2>{size, size},
                                      /*align_corners=*/false)
               .squeeze(0)
               .round()
               .clamp(0, 255)
               .to(at::kByte);
  }
  return view_of(augmentation, image_seed) == 1 ? view.flip({2}) : view;
}

}  // namespace petlab::engine
