#pragma once

#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/image.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::datasets::tools {

/// A picture's shape: its grey values averaged over a 16 x 16 grid, mean removed, length 1 (all
/// zero for a picture of one colour). The dot product of two is their correlation.
inline constexpr std::size_t kShapeGrid = 16;
using Shape = std::array<float, kShapeGrid * kShapeGrid>;
[[nodiscard]] Shape shape_of(const Image& image);

/// Two pictures of one data set that are the same or nearly so.
struct DuplicatePair {
  std::string first;       ///< id; first < second
  std::string second;      ///< id
  bool identical = false;  ///< same pixels
  double correlation = 0;  ///< of the shapes; 1 for identical pictures
  bool across_domains = false;
  bool across_classes = false;
};

/// All pairs with equal pixels, and all whose shapes correlate by at least `threshold`; sorted by
/// ids. Decodes every picture once: costs time in proportion to pictures squared, about one second
/// for 4,000.
[[nodiscard]] std::vector<DuplicatePair> find_duplicates(const Dataset& dataset, double threshold,
                                                         unsigned threads = 0);

/// Columns first, second, kind (identical | near), correlation, scope (same or other domain/class).
void write_duplicates(const std::filesystem::path& file, const std::vector<DuplicatePair>& pairs);

}  // namespace petlab::datasets::tools
