#pragma once

#include "petlab/datasets/image.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace petlab::datasets {

[[nodiscard]] Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name);
[[nodiscard]] Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name);

/// The orientation (1..8) in an EXIF block that starts at its TIFF header; 1 when it has none or
/// cannot be read.
[[nodiscard]] int exif_orientation(std::span<const std::uint8_t> tiff);

/// Turns and mirrors the stored picture into the upright one.
[[nodiscard]] Image oriented(Image image, int orientation);

}  // namespace petlab::datasets
