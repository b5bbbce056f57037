#pragma once

#include "petlab/datasets/dataset.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::datasets {

/// The npm package that Icon-Home and the pretraining pictures come from.
inline constexpr const char* kIconifyPackage = "@iconify/json";
inline constexpr const char* kIconifyVersion = "2.2.535";

/// One line of manifest.csv.
struct IconHomeRow {
  std::string domain;
  std::string class_name;  ///< as people write it, e.g. "alarm clock"
  std::string set;         ///< icon set, e.g. "lucide"
  std::string icon;        ///< name within the set, e.g. "alarm-clock"
};

/// The recipe of Icon-Home: names only, no drawings.
struct IconHomeManifest {
  std::string version;
  std::string sha256;    ///< of manifest.csv
  int picture_size = 0;  ///< pixels a side
  std::vector<IconHomeRow> rows;
};

/// Reads `recipe_dir/manifest.csv` and `manifest.json`. Throws base::Error(data) naming file and
/// line when a row is malformed or double, or when hash, counts or package version disagree.
[[nodiscard]] IconHomeManifest read_icon_home_manifest(const std::filesystem::path& recipe_dir);

/// Loads what tools::build_icon_home wrote and checks it against its dataset.json: counts and
/// fingerprint, and, where `recipe_dir` is given, that it was built from that manifest. Throws
/// base::Error(data) saying what differs and that `petlab datasets build icon-home` puts it right.
[[nodiscard]] Dataset load_icon_home(const std::filesystem::path& built_dir,
                                     const std::filesystem::path& recipe_dir = {},
                                     unsigned threads = 0);

}  // namespace petlab::datasets
