#include "petlab/study/transfer.hpp"

#include "dataset_section.hpp"
#include "ini_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/engine/setting_table.hpp"

#include <algorithm>
#include <map>
#include <system_error>

namespace petlab::study {
namespace {

constexpr const char* kSection = "dataset.";

/// What would test on a part of a target, or on it and others.
constexpr const char* kOfStudies[] = {"dataset.classes", "dataset.cross-domain",
                                      "dataset.leave-out", "dataset.transfer"};
/// What would test on other images than the test images.
constexpr const char* kOfValidation[] = {"dataset.validation-fraction", "dataset.validation-shots",
                                         "dataset.validation"};

/// `origins`: where a key was written.
void check_target(const engine::RunSettings& settings,
                  const std::map<std::string, std::string>& origins) {
  const auto refuse = [&](const char* key, const char* why) {
    const engine::SettingEntry& entry = *engine::study_setting(key);
    if (entry.is_default(settings)) return;
    base::throw_config_error(origins.at(key) + ": '" + entry.name + "' is '" +
                             entry.text(settings) + "', but a transfer target is tested " + why +
                             "; expected no " + entry.name);
  };
  for (const char* key : kOfStudies)
    refuse(key, "as a whole");
  for (const char* key : kOfValidation)
    refuse(key, "on its test images");
}

engine::DatasetSpec read_dataset(const std::filesystem::path& file) {
  engine::RunSettings settings;
  std::map<std::string, std::string> origins;
  for (const Setting& one : read_ini(file).settings) {
    if (!one.key.starts_with(kSection)) continue;
    const engine::SettingEntry* entry = engine::study_setting(one.key);
    if (entry == nullptr)
      base::throw_config_error(one.origin + ": unknown key '" + one.key.substr(8) +
                               "' in [dataset]");
    entry->take(settings, one);
    origins[one.key] = one.origin;
  }
  engine::DatasetSpec& dataset = settings.dataset;
  complete_dataset(dataset, origins, file.string(), /*has_search=*/false);
  check_target(settings, origins);
  // Its test images alone count, once.
  dataset.train_fractions.clear();
  dataset.train_shot_counts.clear();
  return dataset;
}

/// "" for no path.
std::filesystem::path settled(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::path real = std::filesystem::weakly_canonical(path, failed);
  return failed ? path : real;
}

}  // namespace

std::vector<TransferTarget> transfer_targets(const engine::DatasetSpec& dataset) {
  std::vector<TransferTarget> targets;
  for (const std::filesystem::path& file : dataset.transfer) {
    const std::string name = file.stem().string();
    if (std::any_of(targets.begin(), targets.end(),
                    [&](const TransferTarget& other) { return other.name == name; }))
      base::throw_config_error("transfer in [dataset] names two files '" + name +
                               ".ini', whose results could not be told apart");
    targets.push_back({name, read_dataset(file)});
  }
  return targets;
}

bool is_own_data_set(const engine::DatasetSpec& dataset, const TransferTarget& target) {
  return dataset.name == target.dataset.name &&
         settled(dataset.root) == settled(target.dataset.root) &&
         settled(dataset.lists) == settled(target.dataset.lists);
}

}  // namespace petlab::study
