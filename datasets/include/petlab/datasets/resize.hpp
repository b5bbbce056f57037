#pragma once

#include "petlab/base/square_fit.hpp"
#include "petlab/datasets/image.hpp"

#include <span>

namespace petlab::datasets {

/// Part of every cache key: to be raised whenever a change here or in a decoder changes a pixel.
inline constexpr int kPreprocessVersion = 2;

/// Antialiased bicubic resize (Keys' kernel, a = -0.5, widened when shrinking), as Pillow does it:
/// a horizontal and a vertical pass, each in 22-bit fixed point and rounded to 8 bits. Equal to
/// `Image.resize((width, height), BICUBIC)` of Pillow 13 to the last bit (older ones always pass
/// horizontally first, which changes tall pictures by a few levels). Sizes are at least 1.
[[nodiscard]] Image resize_bicubic(const Image& image, int width, int height);

/// The same with Pillow's BILINEAR (a triangle, widened when shrinking).
[[nodiscard]] Image resize_bilinear(const Image& image, int width, int height);

/// CLIP's preprocessing up to the normalisation, equal to transformers' CLIPImageProcessor to the
/// last bit: the shorter side becomes `size`, the longer one keeps the aspect (rounded down), then
/// the central `size` x `size` pixels; of an odd rest the smaller half is left and above.
[[nodiscard]] Image clip_crop(const Image& image, int size);

/// The `size` x `size` picture that a backbone takes: clip_crop() by default, or pressed into the
/// square (transformers' SiglipImageProcessor), by the filter that `how` says.
[[nodiscard]] Image fit_square(const Image& image, int size, const base::SquareFit& how);

/// The same as three planes [3, size, size], written to `planes` of 3 * size * size bytes.
void clip_crop_planes(const Image& image, int size, std::span<std::uint8_t> planes,
                      const base::SquareFit& how = {});

}  // namespace petlab::datasets
