#pragma once

#include "petlab/engine/run_spec.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace petlab::engine {

/// Different pictures that an augmentation makes of one image: 1 for none, 2 for flip, 0 (too many
/// to keep) for crop_flip.
[[nodiscard]] std::int64_t view_count(Augmentation augmentation);

/// Which of its finite views an image shows: 0, or 1 for mirrored. `image_seed` belongs to (seed,
/// task, epoch, image).
[[nodiscard]] std::int64_t view_of(Augmentation augmentation, std::uint64_t image_seed);

/// The image as the augmentation of `image_seed` shows it: uint8 [3, S, S] -> uint8 [3, S, S].
/// crop_flip is Dassl's RandomResizedCrop (area 8 % to 100 %, aspect 3/4 to 4/3, bicubic with
/// anti-aliasing, ten tries, then the largest centre crop) and a flip with probability 1/2.
[[nodiscard]] at::Tensor augment(const at::Tensor& image, Augmentation augmentation,
                                 std::uint64_t image_seed);

/// A crop in pixels.
struct Crop {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// The crop that `image_seed` draws from a square of `size` pixels.
[[nodiscard]] Crop random_crop(std::int64_t size, std::uint64_t image_seed);

}  // namespace petlab::engine
