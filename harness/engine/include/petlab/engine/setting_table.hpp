#pragma once

#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/setting_values.hpp"

#include <functional>
#include <string>
#include <vector>

namespace petlab::sdk {
struct PublishedBudget;
struct TrainingDefaults;
}  // namespace petlab::sdk

namespace petlab::engine {

/// Who says a setting.
enum class SettingScope {
  study,  ///< equal for all methods: said once, in its section
  row,    ///< a method's own: said in [row.LABEL] or [method.NAME], else by its publication
};

/// All that petlab knows of one setting. Protocol files, options of the command line, the resolved
/// protocol, identities, records, worker's orders, searches and the table of keys follow from it.
struct SettingEntry {
  const char* section = "train";
  const char* name = "";
  SettingScope scope = SettingScope::study;
  const char* help = "";
  const char* unit = "";
  const char* option = "";        ///< of the command line; "": reached by --set alone
  const char* default_text = "";  ///< says in words what holds where nothing is said; "": its value

  /// Its text is a part of a run's identity. What a setting without it decides is measured
  /// (pictures, split, weights), or nothing.
  bool in_identity = true;
  bool in_record = true;       ///< stored with the run
  bool is_searchable = false;  ///< a search may choose it; of row scope only
  bool is_optional = false;    ///< stands in no text where it has its default

  /// Whether the others leave it a meaning; null: always. Without one it stands in no text.
  bool (*applies)(const RunSettings&) = nullptr;
  /// Stands in the identity where it does not apply; null: its text.
  const char* identity_otherwise = nullptr;

  std::vector<std::string> choices = {};  ///< all that it may be; empty: more than can be listed
  std::string values = {};                ///< "integer >= 1", "cosine or constant"

  /// The shortest text that `take` reads back as the same value; "" where there is none.
  std::function<std::string(const RunSettings&)> text = {};
  /// Puts in what was said. Throws Error(config) with one sentence that begins with its origin.
  std::function<void(RunSettings&, const Setting&)> take = {};
  /// The text of a method's publication; empty where publications do not say it.
  std::function<std::string(const sdk::TrainingDefaults&)> publication = {};
  /// The text of a published budget, "" where this one does not say it; empty where no budget does.
  std::function<std::string(const sdk::PublishedBudget&)> budget = {};

  /// "train.epochs": its name in identities, records and orders, and where its scope is the study
  /// in protocol files.
  [[nodiscard]] std::string key() const { return std::string(section) + "." + name; }
  [[nodiscard]] bool is_default(const RunSettings& settings) const;
  /// Stands in texts: it applies, and has more to say than its default where it is optional.
  [[nodiscard]] bool is_said(const RunSettings& settings) const;
};

/// The settings, section by section.
[[nodiscard]] const std::vector<SettingEntry>& setting_table();

/// The entry of study scope with this key, of row scope with this name; null where there is none.
[[nodiscard]] const SettingEntry* study_setting(const std::string& key);
[[nodiscard]] const SettingEntry* row_setting(const std::string& name);

/// Puts in what a published budget says. Returns the entries that it did.
std::vector<const SettingEntry*> take_budget(RunSettings& settings,
                                             const sdk::PublishedBudget& budget);

}  // namespace petlab::engine
