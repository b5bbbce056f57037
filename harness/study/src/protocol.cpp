#include "petlab/study/protocol.hpp"

#include "dataset_section.hpp"
#include "ini_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/results/study_name.hpp"
#include "protocol_values.hpp"
#include "row_sections.hpp"
#include "search_section.hpp"
#include "study_overrides.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace petlab::study {
namespace {

/// Takes a key that a study has once. False where there is none of this name.
bool take_study_key(Protocol& protocol, const Setting& s) {
  if (const engine::SettingEntry* entry = engine::study_setting(s.key)) {
    entry->take(protocol, s);
  } else if (s.key == "study.name") {
    protocol.name = study_name_value(s);
  } else if (s.key == "study.description") {
    protocol.description = s.value;
  } else if (s.key == "study.seeds") {
    protocol.seeds = parse_seeds(s.value, s.origin);
  } else if (s.key == "study.equivalence-margin") {
    const auto points = base::parse_number<double>(s.value);
    if (!points || !(*points > 0.0 && *points <= 100.0))
      base::throw_config_error(s.origin + ": equivalence-margin is '" + s.value +
                               "', expected percentage points over 0 and up to 100");
    protocol.equivalence_margin = points;
  } else {
    return false;
  }
  protocol.origins[s.key] = s.origin;
  return true;
}

/// All keys that take_study_key() knows.
std::vector<std::string> study_keys() {
  std::vector<std::string> keys = {"study.name", "study.description", "study.seeds",
                                   "study.equivalence-margin"};
  for (const engine::SettingEntry& entry : engine::setting_table())
    if (entry.scope == engine::SettingScope::study) keys.push_back(entry.key());
  return keys;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// A section about a method is about one that a row has.
void check_used(const Protocol& protocol, const std::string& method, const std::string& section,
                const std::string& origin) {
  std::vector<std::string> used;
  for (const Row& row : protocol.rows)
    used.push_back(row.method);
  if (!contains(used, method))
    base::throw_config_error(origin + ": no row uses method '" + method + "' of section [" +
                             section + "]" + base::did_you_mean(method, used));
}

/// Sections about methods are about those that rows have, but for the ones that the study's other
/// files bring: these are for many studies.
void check_method_sections(const Protocol& protocol, const RowSections& rows,
                           const JoinedFiles& ini) {
  for (const auto& [name, origin] : rows.method_origins())
    if (const std::string section = "method." + name; !contains(ini.shared_sections, section))
      check_used(protocol, name, section, origin);
  if (!protocol.search) return;
  for (const auto& [name, spaces] : protocol.search->methods)
    if (const std::string section = "search." + name; !contains(ini.shared_sections, section))
      check_used(protocol, name, section, spaces.front().origin);
}

void check_warmup(const engine::Training& training, const std::string& where) {
  if (training.steps > 0 || training.warmup_epochs < training.epochs) return;
  base::throw_config_error(where + ": warmup-epochs in [train] is " +
                           std::to_string(training.warmup_epochs) + ", expected fewer than the " +
                           std::to_string(training.epochs) +
                           " epochs; --set train.warmup-epochs=0 trains without warm-up");
}

[[noreturn]] void refuse_unknown_section(const Setting& s, const std::string& section,
                                         const std::string& key) {
  std::vector<std::string> keys;
  std::vector<std::string> sections = {"method.NAME", "row.LABEL", "search", "search.METHOD"};
  for (const std::string& known : study_keys()) {
    const std::string known_section = known.substr(0, known.find('.'));
    if (known_section == section) keys.push_back(known.substr(section.size() + 1));
    if (std::find(sections.begin(), sections.end(), known_section) == sections.end())
      sections.push_back(known_section);
  }
  if (keys.empty())
    base::throw_config_error(s.origin + ": unknown section [" + section + "]" +
                             base::did_you_mean(section, sections));
  refuse_unknown_key(s, section, key, keys);
}

/// "row.mmap.option.rank" is section "row.mmap", key "option.rank". Labels may hold dots, so the
/// file's own sections decide, the longest that fits; without one, the first dot behind the label
/// does.
std::pair<std::string, std::string> split_key(const std::string& key,
                                              const std::unordered_set<std::string>& sections) {
  std::string best;
  for (auto dot = key.rfind('.'); dot != std::string::npos && dot > 0 && best.empty();
       dot = key.rfind('.', dot - 1))
    if (sections.count(key.substr(0, dot)) > 0) best = key.substr(0, dot);
  if (best.empty()) {
    auto dot = key.find('.');
    if (key.starts_with("row.") || key.starts_with("method.")) dot = key.find('.', dot + 1);
    best = key.substr(0, dot);
  }
  return {best, key.size() > best.size() ? key.substr(best.size() + 1) : ""};
}

/// "demo" of demo.ini; "icon-home/depth" of depth.ini with icon-home.ini: where, then what.
std::string joined_name(const std::vector<std::filesystem::path>& files) {
  std::string name = files.front().stem().string();
  if (files.size() > 1) name = files[1].stem().string() + "/" + name;
  for (std::size_t i = 2; i < files.size(); ++i)
    name += "/" + files[i].stem().string();
  return name;
}

}  // namespace

Protocol read_protocol(const std::filesystem::path& file, const std::vector<Setting>& overrides) {
  return read_protocol(std::vector<std::filesystem::path>{file}, overrides);
}

Protocol read_protocol(const std::vector<std::filesystem::path>& files,
                       const std::vector<Setting>& overrides) {
  const std::filesystem::path& file = files.at(0);
  const std::string where = file.filename().string();
  const JoinedFiles ini = join_files(files);
  const std::vector<Setting> all_overrides = with_consequences(ini.settings, overrides);
  Protocol protocol;
  protocol.file = std::filesystem::absolute(file);
  protocol.name = joined_name(files);

  std::vector<std::string> sections = ini.sections;
  for (const std::string& label : added_rows(overrides))
    if (!contains(sections, "row." + label)) sections.push_back("row." + label);
  RowSections row_sections(sections, where);
  const std::unordered_set<std::string> known_sections(sections.begin(), sections.end());
  for (const Setting& s :
       merge_settings(without_contradicted(ini.settings, overrides), all_overrides)) {
    const auto [section, key] = split_key(s.key, known_sections);
    if (take_study_key(protocol, s)) continue;
    if (section.starts_with("row.") || section.starts_with("method.")) {
      row_sections.take(section, key, s);
    } else if (section == "search" || section.starts_with("search.")) {
      if (!protocol.search) protocol.search.emplace();
      take_search_key(*protocol.search, section == "search" ? "" : section.substr(7), key, s);
    } else {
      refuse_unknown_section(s, section, key);
    }
  }

  protocol.rows = row_sections.rows();
  if (protocol.rows.empty())
    base::throw_config_error(where + ": the study has no row; expected a section [row.LABEL]");
  if (protocol.seeds.empty()) protocol.seeds = {1};
  if (protocol.backbone.empty())
    base::throw_config_error(where + ": the study names no backbone; expected dir in [backbone]");
  complete_dataset(protocol.dataset, protocol.origins, where, protocol.search.has_value());
  if (!protocol.search && contains(ini.sections, "search"))
    base::throw_config_error(where + ": section [search] is empty; expected space.KEY = VALUES");
  if (protocol.search) check_search(*protocol.search, protocol);
  check_method_sections(protocol, row_sections, ini);
  check_warmup(protocol.training, where);
  protocol.name =
      results::variant_name(protocol.name, variant_settings(ini.settings, all_overrides));
  return protocol;
}

}  // namespace petlab::study
