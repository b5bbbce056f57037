#include "petlab/study/transfer.hpp"

#include "dataset_section.hpp"
#include "ini_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/engine/setting_table.hpp"

#include <algorithm>
#include <map>

namespace petlab::study {
namespace {

constexpr const char* kSection = "dataset.";

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
  // Its test images alone count, once.
  dataset.train_fractions.clear();
  dataset.train_shot_counts.clear();
  dataset.classes = engine::ClassPart::all;
  dataset.cross_domain = false;
  dataset.leave_out.clear();
  dataset.transfer.clear();
  return dataset;
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

}  // namespace petlab::study
