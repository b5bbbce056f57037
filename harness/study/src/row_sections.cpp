#include "row_sections.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/engine/setting_table.hpp"
#include "protocol_values.hpp"

#include <utility>

namespace petlab::study {
namespace {

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

}  // namespace

void refuse_unknown_key(const Setting& s, const std::string& section, const std::string& key,
                        const std::vector<std::string>& known) {
  base::throw_config_error(s.origin + ": unknown key '" + key + "' in [" + section + "]" +
                           base::did_you_mean(key, known));
}

RowSections::RowSections(const std::vector<std::string>& sections, const std::string& file) {
  for (const std::string& section : sections) {
    if (!section.starts_with("row.")) continue;
    Row row;
    row.label = section.substr(4);
    row.origin = file;
    if (!is_plain_name(row.label))
      base::throw_config_error(row.origin + ": row '" + row.label +
                               "' is no name of letters, digits and - _ + .");
    places_.emplace(row.label, rows_.size());
    rows_.push_back({std::move(row)});
  }
}

void RowSections::take_method_key(MethodText& method, const std::string& section,
                                  const std::string& key, const Setting& s) {
  if (key.starts_with("option.")) {
    method.options[key.substr(7)] = s.value;
  } else if (!take_training(method.training, key, s)) {
    std::vector<std::string> known = training_keys();
    known.emplace_back("option.NAME");
    refuse_unknown_key(s, section, key, known);
  }
}

void RowSections::take_row_key(ReadRow& read, const std::string& section, const std::string& key,
                               const Setting& s) {
  Row& row = read.row;
  if (key == "method") {
    row.method = name_value(s);
    row.origin = s.origin;
  } else if (key == "sharing") {
    try {
      row.sharing = engine::parse_sharing(s.value);
    } catch (const base::Error& error) {
      base::throw_config_error(s.origin + ": " + error.what());
    }
    read.has_sharing = true;
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
    refuse_unknown_key(s, section, key, known);
  }
}

void RowSections::take(const std::string& section, const std::string& key, const Setting& s) {
  const std::string name = section.substr(section.find('.') + 1);
  if (section.starts_with("method.")) {
    MethodText& method = methods_[name];
    method.origin = s.origin;
    take_method_key(method, section, key, s);
    return;
  }
  const auto place = places_.find(name);
  if (place == places_.end()) {
    std::vector<std::string> labels;
    for (const ReadRow& read : rows_)
      labels.push_back(read.row.label);
    base::throw_config_error(
        s.origin + ": the study has no row '" + name + "'" + base::did_you_mean(name, labels) +
        "; a row is added where its method is said too (--set row." + name + ".method=NAME)");
  }
  take_row_key(rows_[place->second], section, key, s);
}

std::vector<Row> RowSections::rows() const {
  std::vector<Row> rows;
  for (const ReadRow& read : rows_) {
    check_row(read.row, read.has_sharing);
    Row& row = rows.emplace_back(read.row);
    const auto found = methods_.find(row.method);
    if (found == methods_.end()) continue;
    row.training.insert(found->second.training.begin(), found->second.training.end());
    row.method_options.insert(found->second.options.begin(), found->second.options.end());
  }
  return rows;
}

std::map<std::string, std::string> RowSections::method_origins() const {
  std::map<std::string, std::string> origins;
  for (const auto& [name, method] : methods_)
    origins[name] = method.origin;
  return origins;
}

void set_row_value(Row& row, const std::string& key, const Setting& setting) {
  if (key.starts_with("option."))
    row.method_options[key.substr(7)] = setting.value;
  else
    (void)take_training(row.training, key, setting);
}

}  // namespace petlab::study
