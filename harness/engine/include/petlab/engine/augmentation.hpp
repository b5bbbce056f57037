#pragma once

#include "petlab/datasets/image.hpp"
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

/// Whether it draws crops, for which the originals of the training images are needed.
[[nodiscard]] bool draws_crops(Augmentation augmentation);

/// The image as the augmentation of `image_seed` shows it: uint8 [3, S, S] -> uint8 [3, S, S].
/// crop_flip takes the image for the original.
[[nodiscard]] at::Tensor augment(const at::Tensor& image, Augmentation augmentation,
                                 std::uint64_t image_seed);

/// crop_flip of an original: Dassl's, that is torchvision's, RandomResizedCrop (area 8 % to 100 %,
/// aspect 3/4 to 4/3, ten tries, then the largest crop of such an aspect in the centre; Pillow's
/// bicubic filter) and a flip with probability 1/2. Returns uint8 [3, size, size].
[[nodiscard]] at::Tensor crop_and_flip(const datasets::Image& original, std::int64_t size,
                                       std::uint64_t image_seed);

/// A crop in pixels.
struct Crop {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// The crop that `image_seed` draws from an image of this size.
[[nodiscard]] Crop random_crop(std::int64_t height, std::int64_t width, std::uint64_t image_seed);

}  // namespace petlab::engine
