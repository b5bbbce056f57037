#pragma once

#include "petlab/datasets/dataset.hpp"

#include <string>
#include <vector>

namespace petlab::fuzz {

// Small sound files of each kind, made here.
[[nodiscard]] std::vector<std::string> picture_seeds();
[[nodiscard]] std::vector<std::string> exif_seeds();
[[nodiscard]] std::vector<std::string> csv_seeds();
[[nodiscard]] std::vector<std::string> list_seeds();
[[nodiscard]] std::vector<std::string> split_seeds();
[[nodiscard]] std::vector<std::string> iconify_seeds();
[[nodiscard]] std::vector<std::string> ini_seeds();
[[nodiscard]] std::vector<std::string> store_seeds();
[[nodiscard]] std::vector<std::string> tar_seeds();
/// Of the images a.png, b.png and c.png.
[[nodiscard]] std::vector<std::string> coop_seeds();

/// What the splits are of: two domains of six images.
[[nodiscard]] datasets::Dataset split_dataset();

}  // namespace petlab::fuzz
