#pragma once

#include "petlab/core/protocol.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::core {

struct IniFile {
  std::vector<Setting> settings;      ///< in the order of the file; no key twice
  std::vector<std::string> sections;  ///< in the order of the file, with those that are empty
};

/// Reads an INI file (`[section]`, `key = value`, `#` begins a comment). Throws Error(config)
/// naming file and line.
[[nodiscard]] IniFile read_ini(const std::filesystem::path& file);

}  // namespace petlab::core
