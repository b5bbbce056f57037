#include "petlab/study/protocol.hpp"

#include "ini_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/results/study_name.hpp"
#include "petlab/study/train_sizes.hpp"
#include "protocol_values.hpp"
#include "search_section.hpp"
#include "study_overrides.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>
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

using RowSettings = std::map<std::string, std::string>;

/// Takes a setting of row scope, checked. False where there is none of this name.
bool take_training(RowSettings& training, const std::string& key, const Setting& s) {
  const engine::SettingEntry* entry = engine::row_setting(key);
  if (entry == nullptr) return false;
  engine::RunSettings checked;
  entry->take(checked, s);
  training[key] = s.value;
  return true;
}

std::vector<std::string> training_keys() {
  std::vector<std::string> keys;
  for (const engine::SettingEntry& entry : engine::setting_table())
    if (entry.scope == engine::SettingScope::row) keys.emplace_back(entry.name);
  return keys;
}

/// What [method.NAME] says: for every row of the method.
struct MethodText {
  std::string origin;
  RowSettings training;
  std::map<std::string, std::string> options;
};

[[noreturn]] void unknown_key(const Setting& s, const std::string& section, const std::string& key,
                              const std::vector<std::string>& known) {
  base::throw_config_error(s.origin + ": unknown key '" + key + "' in [" + section + "]" +
                           base::did_you_mean(key, known));
}

void take_method_key(MethodText& method, const std::string& section, const std::string& key,
                     const Setting& s) {
  if (key.starts_with("option.")) {
    method.options[key.substr(7)] = s.value;
  } else if (!take_training(method.training, key, s)) {
    std::vector<std::string> known = training_keys();
    known.emplace_back("option.NAME");
    unknown_key(s, section, key, known);
  }
}

void take_row_key(Row& row, bool& has_sharing, const std::string& section, const std::string& key,
                  const Setting& s) {
  if (key == "method") {
    row.method = name_value(s);
  } else if (key == "sharing") {
    try {
      row.sharing = engine::parse_sharing(s.value);
    } catch (const base::Error& error) {
      base::throw_config_error(s.origin + ": " + error.what());
    }
    has_sharing = true;
  } else if (key == "grouping") {
    row.grouping = name_value(s);
  } else if (key.starts_with("grouping.")) {
    row.grouping_options[key.substr(9)] = s.value;
  } else if (key.starts_with("option.")) {
    row.method_options[key.substr(7)] = s.value;
  } else if (!take_training(row.training, key, s)) {
    std::vector<std::string> known = training_keys();
    for (const char* more : {"method", "sharing", "grouping", "grouping.NAME", "option.NAME"})
      known.emplace_back(more);
    unknown_key(s, section, key, known);
  }
}

void check_row(const Row& row, bool has_sharing) {
  const std::string where = row.origin + ": row '" + row.label + "' ";
  if (row.method.empty()) base::throw_config_error(where + "has no key 'method'");
  if (!has_sharing) base::throw_config_error(where + "has no key 'sharing'");
  const bool wants =
      row.sharing == engine::Sharing::grouped || row.sharing == engine::Sharing::grouped_specific;
  if (wants && row.grouping.empty())
    base::throw_config_error(where + "shares by groups (" + to_string(row.sharing) +
                             ") but has no key 'grouping'");
  if (!wants && !(row.grouping.empty() && row.grouping_options.empty()))
    base::throw_config_error(where + "names a grouping, but its sharing '" +
                             to_string(row.sharing) + "' has no groups");
}

/// A section about a method is about one that a row has.
void check_used(const Protocol& protocol, const std::string& method, const std::string& section,
                const std::string& origin) {
  std::vector<std::string> used;
  for (const Row& row : protocol.rows)
    used.push_back(row.method);
  if (std::find(used.begin(), used.end(), method) == used.end())
    base::throw_config_error(origin + ": no row uses method '" + method + "' of section [" +
                             section + "]" + base::did_you_mean(method, used));
}

/// The keys about development images. `said` names where a key of [dataset] was written.
template <class Said>
void check_development(const engine::DatasetSpec& d, const Said& said) {
  const bool scored = d.validation == engine::ValidationPart::development;
  if (d.development_fraction == 0.0) {
    if (scored)
      base::throw_config_error(said("validation") +
                               ": validation = development needs a development-fraction above 0");
    if (!said("development-seed").empty())
      base::throw_config_error(said("development-seed") +
                               ": development-seed needs a development-fraction above 0");
    return;
  }
  const std::string where = said("development-fraction") + ": development-fraction ";
  if (d.split == "list")
    base::throw_config_error(where +
                             "is for split = percent and shots; with split = list the lists say "
                             "which images train, validate and test");
  if (d.validation == engine::ValidationPart::list)
    base::throw_config_error(
        where +
        "sets images aside, but validation = list tests on those of the lists; expected "
        "one of them, or validation = development");
  const double share = std::max(d.train_fraction, d.largest_train_size);
  if (d.split == "percent" && share + d.development_fraction >= 1.0)
    base::throw_config_error(where + "is " + base::number_text(d.development_fraction) +
                             ", expected less than 1 together with train-fraction, " +
                             base::number_text(share));
}

/// Several training sizes, and the one that decides what tests.
template <class Said>
void check_train_sizes(const Protocol& protocol, const Said& said) {
  const engine::DatasetSpec& d = protocol.dataset;
  const double largest = largest_train_size(d);
  const bool shots = d.split == "shots";
  if (largest > 0.0 && protocol.search)
    base::throw_config_error(said(shots ? "train-shots" : "train-fraction") +
                             ": a study with [search] chooses settings for one training size, "
                             "expected one value, or no search");
  if (d.largest_train_size == 0.0) return;
  const std::string where = said("largest-train-size") + ": largest-train-size ";
  if (d.split == "list")
    base::throw_config_error(where +
                             "is for split = percent and shots; with split = list the lists say "
                             "which images test");
  const double size =
      std::max(largest, shots ? static_cast<double>(d.train_shots) : d.train_fraction);
  const std::string value = "is " + base::number_text(d.largest_train_size) + ", expected ";
  if (d.largest_train_size < size)
    base::throw_config_error(where + value + "at least " + base::number_text(size) +
                             ", the size of the training part");
  if (shots && d.largest_train_size != std::floor(d.largest_train_size))
    base::throw_config_error(where + value + "a number of pictures, as train-shots is");
  if (!shots && d.largest_train_size >= 1.0)
    base::throw_config_error(where + value + "a share less than 1, as train-fraction is");
}

std::vector<std::string> labels_of(const std::vector<std::pair<Row, bool>>& rows) {
  std::vector<std::string> labels;
  for (const auto& [row, has_sharing] : rows)
    labels.push_back(row.label);
  return labels;
}

/// Keys of [dataset] that need or exclude each other.
void check_split(const Protocol& protocol, const std::string& where) {
  const engine::DatasetSpec& d = protocol.dataset;
  const auto said = [&](const char* key) {
    const auto found = protocol.origins.find(std::string("dataset.") + key);
    return found == protocol.origins.end() ? std::string() : found->second;
  };
  if (d.split == "shots" && d.train_shots == 0)
    base::throw_config_error(
        where + ": split = shots in [dataset] needs train-shots, the images of each class");
  if (d.split != "shots" && d.train_shots > 0)
    base::throw_config_error(said("train-shots") +
                             ": train-shots is for split = shots, the split is " + d.split);
  check_train_sizes(protocol, said);
  const int validations = (d.validation_fraction > 0.0 ? 1 : 0) + (d.validation_shots > 0 ? 1 : 0) +
                          (d.validation != engine::ValidationPart::none ? 1 : 0);
  if (validations > 1)
    base::throw_config_error(
        where +
        ": [dataset] asks for validation images in more than one way; expected one of "
        "validation-fraction, validation-shots and validation = list or development");
  check_development(d, said);
}

[[noreturn]] void unknown_section(const Setting& s, const std::string& section,
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
  unknown_key(s, section, key, keys);
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

void set_row_value(Row& row, const std::string& key, const Setting& setting) {
  if (key.starts_with("option."))
    row.method_options[key.substr(7)] = setting.value;
  else
    (void)take_training(row.training, key, setting);
}

Protocol read_protocol(const std::filesystem::path& file, const std::vector<Setting>& overrides) {
  return read_protocol(std::vector<std::filesystem::path>{file}, overrides);
}

Protocol read_protocol(const std::vector<std::filesystem::path>& files,
                       const std::vector<Setting>& overrides) {
  const std::filesystem::path& file = files.at(0);
  const JoinedFiles ini = join_files(files);
  Protocol protocol;
  protocol.file = std::filesystem::absolute(file);
  protocol.name = joined_name(files);

  std::map<std::string, MethodText> methods;
  const auto is_shared = [&](const std::string& section) {
    const auto& shared = ini.shared_sections;
    return std::find(shared.begin(), shared.end(), section) != shared.end();
  };
  std::vector<std::pair<Row, bool>> rows;
  std::unordered_map<std::string, std::size_t> row_places;  // by label
  std::vector<std::string> row_sections = ini.sections;
  for (const std::string& label : added_rows(overrides))
    if (std::find(row_sections.begin(), row_sections.end(), "row." + label) == row_sections.end())
      row_sections.push_back("row." + label);
  const std::unordered_set<std::string> sections_there(row_sections.begin(), row_sections.end());
  for (const std::string& section : row_sections)
    if (section.starts_with("row.")) {
      Row row;
      row.label = section.substr(4);
      row.origin = file.filename().string();
      if (!is_plain_name(row.label))
        base::throw_config_error(row.origin + ": row '" + row.label +
                                 "' is no name of letters, digits and - _ + .");
      row_places.emplace(row.label, rows.size());
      rows.emplace_back(row, false);
    }

  const std::vector<Setting> all_overrides = with_consequences(ini.settings, overrides);
  for (const Setting& s :
       merge_settings(without_contradicted(ini.settings, overrides), all_overrides)) {
    const auto [section, key] = split_key(s.key, sections_there);
    if (take_study_key(protocol, s)) continue;
    if (section.starts_with("method.")) {
      MethodText& method = methods[section.substr(7)];
      method.origin = s.origin;
      take_method_key(method, section, key, s);
    } else if (section == "search" || section.starts_with("search.")) {
      if (!protocol.search) protocol.search.emplace();
      take_search_key(*protocol.search, section == "search" ? "" : section.substr(7), key, s);
    } else if (section.starts_with("row.")) {
      const std::string label = section.substr(4);
      const auto place = row_places.find(label);
      if (place == row_places.end())
        base::throw_config_error(s.origin + ": the study has no row '" + label + "'" +
                                 base::did_you_mean(label, labels_of(rows)) +
                                 "; a row is added where its method is said too (--set row." +
                                 label + ".method=NAME)");
      auto* const row = &rows[place->second];
      if (key == "method") row->first.origin = s.origin;
      take_row_key(row->first, row->second, section, key, s);
    } else {
      unknown_section(s, section, key);
    }
  }

  for (auto& [row, has_sharing] : rows) {
    check_row(row, has_sharing);
    if (const auto found = methods.find(row.method); found != methods.end()) {
      const MethodText& general = found->second;
      row.training.insert(general.training.begin(), general.training.end());
      row.method_options.insert(general.options.begin(), general.options.end());
    }
    protocol.rows.push_back(row);
  }
  for (const auto& [name, text] : methods) {
    if (!is_shared("method." + name)) check_used(protocol, name, "method." + name, text.origin);
  }

  const std::string where = file.filename().string();
  if (protocol.rows.empty())
    base::throw_config_error(where + ": the study has no row; expected a section [row.LABEL]");
  if (protocol.seeds.empty()) protocol.seeds = {1};
  if (protocol.backbone.empty())
    base::throw_config_error(where + ": the study names no backbone; expected dir in [backbone]");
  if (protocol.dataset.name.empty())
    base::throw_config_error(where + ": the study names no data set; expected name in [dataset]");
  if (protocol.dataset.root.empty())
    base::throw_config_error(
        where + ": the study does not say where its images are; expected root in [dataset]");
  if (const double largest = largest_train_size(protocol.dataset);
      largest > 0.0 && protocol.dataset.largest_train_size == 0.0)
    protocol.dataset.largest_train_size = largest;
  check_split(protocol, where);
  const auto& sections = ini.sections;
  if (!protocol.search && std::find(sections.begin(), sections.end(), "search") != sections.end())
    base::throw_config_error(where + ": section [search] is empty; expected space.KEY = VALUES");
  if (protocol.search) {
    check_search(*protocol.search, protocol);
    for (const auto& [name, spaces] : protocol.search->methods)
      if (!is_shared("search." + name))
        check_used(protocol, name, "search." + name, spaces.front().origin);
  }
  if (protocol.training.steps == 0 && protocol.training.warmup_epochs >= protocol.training.epochs)
    base::throw_config_error(
        where + ": warmup-epochs in [train] is " + std::to_string(protocol.training.warmup_epochs) +
        ", expected fewer than the " + std::to_string(protocol.training.epochs) +
        " epochs; --set train.warmup-epochs=0 trains without warm-up");
  protocol.name =
      results::variant_name(protocol.name, variant_settings(ini.settings, all_overrides));
  return protocol;
}

}  // namespace petlab::study
