#include "shipped_tables.hpp"

#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"

#include <algorithm>
#include <array>

namespace petlab::app {
namespace fs = std::filesystem;
namespace {

/// A table that is not here comes behind these, by name.
constexpr std::array kOrder = {"single-task",
                               "multi-task",
                               "modality",
                               "sharing",
                               "grouping",
                               "groups",
                               "depth",
                               "prompt-length",
                               "training-size",
                               "few-shot",
                               "base-to-new",
                               "cross-domain",
                               "domain-generalisation",
                               "cross-dataset",
                               "known-answer"};

std::vector<fs::path> protocol_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".ini") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

ShippedTable table_of(const fs::path& file) {
  return {file.stem().string(), file, protocol_files(file.parent_path() / file.stem())};
}

std::size_t place(const ShippedTable& table) {
  return static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), table.name) -
                                  kOrder.begin());
}

}  // namespace

std::vector<std::vector<fs::path>> ShippedTable::studies(const fs::path& setting) const {
  if (members.empty()) return {{file, setting}};
  std::vector<std::vector<fs::path>> result;
  for (const fs::path& member : members)
    result.push_back({file, setting, member});
  return result;
}

std::vector<ShippedTable> shipped_tables(const fs::path& protocols) {
  std::vector<ShippedTable> tables;
  for (const fs::path& file : protocol_files(protocols / "tables"))
    tables.push_back(table_of(file));
  if (tables.empty()) base::throw_config_error("no tables in " + (protocols / "tables").string());
  std::stable_sort(tables.begin(), tables.end(), [](const ShippedTable& a, const ShippedTable& b) {
    return place(a) < place(b);
  });
  return tables;
}

std::vector<ShippedTable> choose_tables(const std::string& text, const fs::path& protocols) {
  if (text == "all") return shipped_tables(protocols);
  std::vector<ShippedTable> chosen;
  for (const std::string& name : split_list(text)) {
    if (name.ends_with(".ini")) {
      if (!fs::is_regular_file(name)) base::throw_config_error("no table file " + name);
      chosen.push_back(table_of(name));
      continue;
    }
    std::vector<std::string> known = {"all"};
    for (const ShippedTable& table : shipped_tables(protocols)) {
      known.push_back(table.name);
      if (table.name == name) chosen.push_back(table);
    }
    if (chosen.empty() || chosen.back().name != name)
      base::throw_config_error("no table '" + name + "'" + base::did_you_mean(name, known));
  }
  if (chosen.empty())
    base::throw_config_error(
        "expected names of tables, or all; petlab reproduce --list shows them");
  return chosen;
}

std::vector<std::string> shipped_settings(const fs::path& protocols) {
  std::vector<std::string> names;
  for (const fs::path& file : protocol_files(protocols / "settings"))
    names.push_back(file.stem().string());
  return names;
}

fs::path choose_setting(const std::string& text, const fs::path& protocols) {
  if (text.ends_with(".ini")) return text;
  const std::vector<std::string> known = shipped_settings(protocols);
  if (std::find(known.begin(), known.end(), text) == known.end())
    base::throw_config_error("--on: no setting '" + text + "'" + base::did_you_mean(text, known));
  return protocols / "settings" / (text + ".ini");
}

}  // namespace petlab::app
