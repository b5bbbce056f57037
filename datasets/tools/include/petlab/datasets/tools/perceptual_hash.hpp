#pragma once

#include "petlab/datasets/image.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace petlab::datasets::tools {

/// pHash (Zauner, 2010): 64 bits of the picture's coarse shape. Grey, 32 x 32 pixels, cosine
/// transform; bit k says whether the k-th of the 8 x 8 lowest frequencies (without the constant row
/// and column) lies above their median. Scaling, recompression and small changes of colour flip few
/// bits; unrelated pictures differ in about 32. Nothing for a picture of one colour, whose
/// frequencies are noise.
[[nodiscard]] std::optional<std::uint64_t> perceptual_hash(const Image& image);

struct NearPair {
  std::size_t first = 0;  ///< index into the hashes; first < second
  std::size_t second = 0;
  int distance = 0;  ///< bits that differ
};

/// Pairs of hashes at most `distance` (0..15) bits apart, sorted. Of several equal hashes each is
/// paired with the first one only, and the first stands for them in other pairs, so that n equal
/// pictures give n - 1 pairs. Two hashes so near agree in at least one of distance + 1 bands of
/// bits: only those that share a band are compared.
[[nodiscard]] std::vector<NearPair> near_pairs(std::span<const std::optional<std::uint64_t>> hashes,
                                               int distance);

}  // namespace petlab::datasets::tools
