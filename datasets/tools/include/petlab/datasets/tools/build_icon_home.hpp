#pragma once

#include "petlab/datasets/icon_home.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>

namespace petlab::datasets::tools {

/// Called one at a time, from any thread, as work gets done: done <= total.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

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

}  // namespace petlab::datasets::tools
