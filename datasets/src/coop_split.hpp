#pragma once

#include "assemble.hpp"

#include <filesystem>
#include <string>
#include <vector>

// CoOp's split_zhou_*.json.
namespace petlab::datasets {

/// A split as its file has it.
struct CoopSplit {
  std::vector<Entry> entries;
  std::vector<std::string> classes;  ///< by label
};

/// Reads `file`: an object with the lists train, val (which may be left out) and test of
/// [path, label, class name]; paths start at `images`. Throws base::Error(data) naming the file and
/// the entry (`train[0]`) for: no such JSON, a path that leads out of `images` or to no file, a
/// picture listed twice, labels that are no numbers from 0 without gaps, a label with two names or
/// a name with two labels.
[[nodiscard]] CoopSplit read_coop_split(const std::filesystem::path& file,
                                        const std::filesystem::path& images,
                                        const std::string& domain);

}  // namespace petlab::datasets
