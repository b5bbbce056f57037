#pragma once

#include <filesystem>
#include <string>
#include <vector>

// The tables and settings that `petlab reproduce` knows: protocol files in harness/protocols/tables
// and harness/protocols/settings. A table says rows, a setting says where they are measured.
namespace petlab::app {

/// A table and the studies that it takes: one, or one for each file in the folder of its name.
struct ShippedTable {
  std::string name;                            ///< "depth" of depth.ini
  std::filesystem::path file;                  ///< with the rows
  std::vector<std::filesystem::path> members;  ///< what each study adds; empty: there is one study

  /// The files of each study with this setting, as study::read_protocol() takes them.
  [[nodiscard]] std::vector<std::vector<std::filesystem::path>> studies(
      const std::filesystem::path& setting) const;
};

/// The tables in `protocols`/tables, in the order in which a paper shows them.
[[nodiscard]] std::vector<ShippedTable> shipped_tables(const std::filesystem::path& protocols);

/// The tables that `text` names: "all", names or .ini files with commas between. Throws
/// Error(config) with a suggestion for an unknown one.
[[nodiscard]] std::vector<ShippedTable> choose_tables(const std::string& text,
                                                      const std::filesystem::path& protocols);

/// Names of the settings in `protocols`/settings.
[[nodiscard]] std::vector<std::string> shipped_settings(const std::filesystem::path& protocols);

/// The file of a setting: a name, or an .ini file. Throws Error(config) with a suggestion.
[[nodiscard]] std::filesystem::path choose_setting(const std::string& text,
                                                   const std::filesystem::path& protocols);

}  // namespace petlab::app
