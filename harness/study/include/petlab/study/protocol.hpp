#pragma once

#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/setting_values.hpp"
#include "petlab/study/search_spec.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace petlab::study {

using engine::Setting;

/// A row of the study's table, with the settings of its method's section merged in.
struct Row {
  std::string label;
  std::string method;
  engine::Sharing sharing = engine::Sharing::joint;
  std::string grouping;  ///< strategy, "" where the sharing has no groups
  std::map<std::string, std::string> method_options;    ///< as given, unchecked
  std::map<std::string, std::string> grouping_options;  ///< as given, unchecked
  /// Settings of row scope (engine::setting_table) by their names, as given; what none is said of
  /// is as the method's publication has it.
  std::map<std::string, std::string> training;
  std::string origin;  ///< "demo.ini:30", for messages
};

/// A study as written: what is equal for all methods, and the rows; settings of row scope are each
/// row's own and not used here. Plugins are not asked yet.
struct Protocol : engine::RunSettings {
  std::string name;
  std::string description;
  std::filesystem::path file;
  std::vector<std::uint64_t> seeds;
  /// Percentage points that a row may be below the best and still be called equivalent to it in
  /// reports. It decides no result, so it is part of no identity.
  std::optional<double> equivalence_margin = {};
  std::vector<Row> rows;                       ///< in the order of the file
  std::map<std::string, std::string> origins;  ///< key -> where its value was written
  std::optional<SearchSpec> search = {};       ///< of rows' settings, before they are run
};

/// Reads a protocol file. `overrides` replace or add values, later ones win: first the
/// environment's, then the command line's. Throws Error(config) that names file, line and key for
/// an unreadable file, a line that is no `key = value`, an unknown or double key (with a
/// suggestion), a value of the wrong kind or out of range, a row without method, a missing or
/// needless grouping.
[[nodiscard]] Protocol read_protocol(const std::filesystem::path& file,
                                     const std::vector<Setting>& overrides = {});

/// Several files as one, e.g. the rows of a table and a setting to measure them in: a later file
/// replaces or adds values, in the order given. Named after all of them ("icon-home/depth" of
/// {depth.ini, icon-home.ini}) unless one says the study's name. A section [method.NAME] of a file
/// behind the first may go unused: a setting serves many tables. `files` holds at least one.
[[nodiscard]] Protocol read_protocol(const std::vector<std::filesystem::path>& files,
                                     const std::vector<Setting>& overrides = {});

/// "1,2,5" or "1-5" as numbers in the given order. Throws Error(config) that begins with `origin`.
[[nodiscard]] std::vector<std::uint64_t> parse_seeds(const std::string& text,
                                                     const std::string& origin);

}  // namespace petlab::study
