#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

namespace petlab::datasets {

inline constexpr const char* kIconHomeDescription = "dataset.json";

/// What a finished build says of itself, in its dataset.json.
struct IconHomeDescription {
  std::string version;
  std::string manifest;
  std::string fingerprint;
  std::map<std::string, std::size_t> counts;
  std::size_t identical_pairs = 0;
  std::size_t near_pairs = 0;
  std::size_t near_pairs_across_domains = 0;
};

/// Throws base::Error(data) when it is not there or damaged, saying what puts it right.
[[nodiscard]] IconHomeDescription read_icon_home_description(
    const std::filesystem::path& built_dir);

}  // namespace petlab::datasets
