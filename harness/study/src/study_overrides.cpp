#include "study_overrides.hpp"

#include "ini_file.hpp"
#include "petlab/base/numbers.hpp"

#include <algorithm>
#include <filesystem>

namespace petlab::study {
namespace {

/// The last value of the key; null where none is said.
const Setting* last_of(const std::vector<Setting>& settings, const std::string& key) {
  const auto found = std::find_if(settings.rbegin(), settings.rend(),
                                  [&key](const Setting& one) { return one.key == key; });
  return found == settings.rend() ? nullptr : &*found;
}

bool is_from_environment(const Setting& setting) {
  return setting.origin.starts_with("PETLAB_");
}

/// Says what a study is called or described by, or where this machine keeps something: the data set
/// is told by what is in it, and so is a backbone that the environment names.
bool makes_no_variant(const Setting& setting) {
  return setting.key == "study.name" || setting.key == "study.description" ||
         setting.key == "dataset.root" ||
         (setting.key == "backbone.dir" && is_from_environment(setting));
}

/// The last component of a path; any other value as it is.
std::string without_folders(const std::string& value) {
  if (value.find('/') == std::string::npos) return value;
  std::filesystem::path path = std::filesystem::path(value).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

/// "epochs" of "train.epochs"; what is said of rows, methods and searches in full.
std::string short_key(const std::string& key) {
  for (const char* section : {"study.", "train.", "dataset.", "evaluate."})
    if (key.starts_with(section)) return key.substr(std::string(section).size());
  return key == "backbone.dir" ? "backbone" : key;
}

}  // namespace

std::vector<std::string> added_rows(const std::vector<Setting>& overrides) {
  std::vector<std::string> labels;
  constexpr std::string_view kRow = "row.", kMethod = ".method";
  for (const Setting& one : overrides)
    if (one.key.starts_with(kRow) && one.key.ends_with(kMethod) &&
        one.key.size() > kRow.size() + kMethod.size())
      labels.push_back(one.key.substr(kRow.size(), one.key.size() - kRow.size() - kMethod.size()));
  return labels;
}

std::vector<Setting> with_consequences(const std::vector<Setting>& of_files,
                                       const std::vector<Setting>& overrides) {
  std::vector<Setting> result = overrides;
  const Setting* epochs = last_of(overrides, "train.epochs");
  if (epochs != nullptr && last_of(overrides, "train.warmup-epochs") == nullptr) {
    const Setting* warmup = last_of(of_files, "train.warmup-epochs");
    const auto few = base::parse_number<std::int64_t>(epochs->value);
    const std::int64_t many =
        warmup == nullptr
            ? engine::Training{}.warmup_epochs
            : base::parse_number<std::int64_t>(warmup->value).value_or(0);  // refused later
    if (few && *few >= 1 && many >= *few)
      result.push_back({"train.warmup-epochs", std::to_string(*few - 1), epochs->origin, ""});
  }
  return result;
}

std::vector<Setting> without_contradicted(std::vector<Setting> of_files,
                                          const std::vector<Setting>& overrides) {
  const Setting* split = last_of(overrides, "dataset.split");
  if (split != nullptr && split->value != "shots")
    std::erase_if(of_files, [](const Setting& one) { return one.key == "dataset.train-shots"; });
  return of_files;
}

std::vector<std::string> variant_settings(const std::vector<Setting>& of_files,
                                          const std::vector<Setting>& overrides) {
  // Who says a name means this one.
  if (last_of(overrides, "study.name") != nullptr) return {};
  std::vector<std::string> result;
  for (const Setting& one : merge_settings({}, overrides)) {
    const Setting* said = last_of(of_files, one.key);
    if (makes_no_variant(one) || (said != nullptr && said->value == one.value)) continue;
    result.push_back(short_key(one.key) + "=" + without_folders(one.value));
  }
  std::sort(result.begin(), result.end());  // one name, in whichever order they were given
  return result;
}

}  // namespace petlab::study
