#pragma once

#include "petlab/datasets/image.hpp"

namespace petlab::datasets {

/// Part of every cache key: to be raised whenever a change here changes a pixel.
inline constexpr int kPreprocessVersion = 1;

/// Antialiased bicubic resize (Keys' kernel, a = -0.5, widened when shrinking), as Pillow does it:
/// horizontal pass, then vertical pass, each in 22-bit fixed point and rounded to 8 bits. Equal to
/// `Image.resize((width, height), BICUBIC)` to the last bit. Sizes are at least 1.
[[nodiscard]] Image resize_bicubic(const Image& image, int width, int height);

/// CLIP's preprocessing up to the normalisation: the shorter side becomes `size`, the longer one
/// keeps the aspect (rounded down), then the central `size` x `size` pixels.
[[nodiscard]] Image clip_crop(const Image& image, int size);

}  // namespace petlab::datasets
