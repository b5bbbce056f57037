#pragma once

#include "petlab/study/protocol.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::study {

struct IniFile {
  std::vector<Setting> settings;      ///< in the order of the file; no key twice
  std::vector<std::string> sections;  ///< in the order of the file, with those that are empty
};

/// Reads an INI file of the grammar of ini_line.hpp. Throws Error(config) naming file and line.
[[nodiscard]] IniFile read_ini(const std::filesystem::path& file);

/// `settings` with later values in the place of earlier ones.
[[nodiscard]] std::vector<Setting> merge_settings(std::vector<Setting> settings,
                                                  const std::vector<Setting>& later);

/// Several files as one, later values in the place of earlier ones.
struct JoinedFiles {
  std::vector<Setting> settings;
  std::vector<std::string> sections;         ///< of all files
  std::vector<std::string> shared_sections;  ///< those that the first file has not
};
[[nodiscard]] JoinedFiles join_files(const std::vector<std::filesystem::path>& files);

}  // namespace petlab::study
