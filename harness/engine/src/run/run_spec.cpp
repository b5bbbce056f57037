#include "petlab/engine/run_spec.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"

#include <array>
#include <utility>

namespace petlab::engine {
namespace {

constexpr std::array kSharings = {
    std::pair{Sharing::per_task, "per-task"},
    std::pair{Sharing::joint, "joint"},
    std::pair{Sharing::grouped, "grouped"},
    std::pair{Sharing::grouped_specific, "grouped+specific"},
    std::pair{Sharing::joint_specific, "joint+specific"},
};

}  // namespace

std::string to_string(Sharing sharing) {
  for (const auto& [value, name] : kSharings) {
    if (value == sharing) return name;
  }
  throw base::Error(base::ErrorKind::internal, "a sharing without a name");
}

Sharing parse_sharing(const std::string& text) {
  std::string known;
  for (const auto& [value, name] : kSharings) {
    if (text == name) return value;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw base::Error(base::ErrorKind::config, "sharing is '" + text + "', expected one of " + known);
}

std::string to_string(Schedule schedule) {
  return schedule == Schedule::cosine ? "cosine" : "constant";
}

std::string to_string(Augmentation augmentation) {
  switch (augmentation) {
    case Augmentation::none:
      return "none";
    case Augmentation::flip:
      return "flip";
    case Augmentation::crop_flip:
      return "crop-flip";
  }
  return "";
}

std::string to_string(TaskLoss loss) {
  return loss == TaskLoss::sum ? "sum" : "mean";
}

std::vector<std::pair<std::string, std::string>> dataset_values(const DatasetSpec& d) {
  std::vector<std::pair<std::string, std::string>> values;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) values.emplace_back(key, value);
  };
  std::string domains;
  for (const std::string& domain : d.domains)
    domains += (domains.empty() ? "" : ",") + domain;
  add("domains", domains);
  add("lists", d.lists.string());
  if (d.split != "percent") add("split", d.split);
  if (d.split == "percent") add("train-fraction", base::number_text(d.train_fraction));
  if (d.split == "shots") add("train-shots", std::to_string(d.train_shots));
  add("split-list", d.split_list);
  if (d.validation_fraction > 0.0)
    add("validation-fraction", base::number_text(d.validation_fraction));
  if (d.validation_shots > 0) add("validation-shots", std::to_string(d.validation_shots));
  if (d.validation_list) add("validation", "list");
  return values;
}

}  // namespace petlab::engine
