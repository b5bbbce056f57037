#pragma once

#include "petlab/datasets/dataset.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace petlab::datasets {

/// Called one at a time, from any thread, as work gets done: done <= total.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

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

struct BuildOptions {
  unsigned threads = 0;  ///< 0 = all cores
  /// Pairs of pictures whose blurred shapes correlate at least so much are near-duplicates.
  double near_duplicate_threshold = 0.97;
};

struct BuildReport {
  bool up_to_date = false;  ///< everything was there and nothing was done
  std::size_t pictures = 0;
  std::size_t rendered = 0;         ///< in this call
  std::size_t removed = 0;          ///< pictures of an older manifest
  std::size_t identical_pairs = 0;  ///< same pixels, within one domain
  std::size_t near_pairs = 0;       ///< near-duplicates, all
  std::size_t near_pairs_across_domains = 0;
  std::string fingerprint;
  std::map<std::string, std::size_t> per_domain;
};
std::ostream& operator<<(std::ostream& out, const BuildReport& report);

/// Assembles Icon-Home: renders each row of the manifest in `recipe_dir` from the unpacked npm
/// package in `package_dir` to `out_dir/domain/class/set__icon.png` (class with '_' for blanks),
/// and writes dataset.json, ATTRIBUTION.md and duplicates.csv there. Does only what is missing; a
/// killed build is taken up again; the bytes depend on the recipe and the rendering libraries only.
/// Throws base::Error(data) for a missing or wrong package, set or icon (saying how to get it), for
/// a folder that petlab did not build, and for two pictures with the same pixels in two domains.
BuildReport build_icon_home(const std::filesystem::path& package_dir,
                            const std::filesystem::path& recipe_dir,
                            const std::filesystem::path& out_dir, const BuildOptions& options = {},
                            const Progress& progress = {});

/// Loads what build_icon_home wrote and checks it against its dataset.json: counts and fingerprint,
/// and, where `recipe_dir` is given, that it was built from that manifest. Throws base::Error(data)
/// saying what differs and that `petlab datasets build icon-home` puts it right.
[[nodiscard]] Dataset load_icon_home(const std::filesystem::path& built_dir,
                                     const std::filesystem::path& recipe_dir = {},
                                     unsigned threads = 0);

}  // namespace petlab::datasets
