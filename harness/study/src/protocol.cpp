#include "petlab/study/protocol.hpp"

#include "ini_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/datasets/registry.hpp"
#include "protocol_values.hpp"
#include "search_section.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

namespace petlab::study {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::max();

using Take = std::function<void(Protocol&, const Setting&)>;

/// The keys of the sections that a study has once. This table is the list of what is known.
const std::vector<std::pair<std::string, Take>>& study_keys() {
  static const std::vector<std::pair<std::string, Take>> keys = {
      {"study.name", [](Protocol& p, const Setting& s) { p.name = study_name_value(s); }},
      {"study.description", [](Protocol& p, const Setting& s) { p.description = s.value; }},
      {"study.seeds",
       [](Protocol& p, const Setting& s) { p.seeds = parse_seeds(s.value, s.origin); }},
      {"dataset.name",
       [](Protocol& p, const Setting& s) {
         p.dataset.name = choice_value(s, datasets::dataset_names());
       }},
      {"dataset.root", [](Protocol& p, const Setting& s) { p.dataset.root = path_value(s); }},
      {"dataset.domains", [](Protocol& p, const Setting& s) { p.dataset.domains = list_value(s); }},
      {"dataset.lists", [](Protocol& p, const Setting& s) { p.dataset.lists = path_value(s); }},
      {"dataset.split",
       [](Protocol& p, const Setting& s) {
         p.dataset.split = choice_value(s, {"percent", "shots", "list"});
       }},
      {"dataset.train-fraction",
       [](Protocol& p, const Setting& s) {
         p.dataset.train_fraction = real_value(s, 0.0, 1.0);
         if (p.dataset.train_fraction <= 0.0 || p.dataset.train_fraction >= 1.0)
           setting_error(s, "expected a number between 0 and 1");
       }},
      {"dataset.train-shots",
       [](Protocol& p, const Setting& s) { p.dataset.train_shots = integer_value(s, 1); }},
      {"dataset.split-list",
       [](Protocol& p, const Setting& s) {
         if (s.value.empty()) setting_error(s, "expected lists, or own for the data set's own");
         p.dataset.split_list = s.value;
         p.dataset.split_base = ((s.base.empty() ? std::filesystem::current_path()
                                                 : std::filesystem::absolute(s.base)) /
                                 "")
                                    .lexically_normal();
       }},
      {"dataset.validation-fraction",
       [](Protocol& p, const Setting& s) {
         p.dataset.validation_fraction = real_value(s, 0.0, 1.0);
         if (p.dataset.validation_fraction >= 1.0)
           setting_error(s, "expected a number from 0 to less than 1");
       }},
      {"dataset.validation-shots",
       [](Protocol& p, const Setting& s) { p.dataset.validation_shots = integer_value(s, 0); }},
      {"dataset.validation",
       [](Protocol& p, const Setting& s) {
         p.dataset.validation_list = choice_value(s, {"none", "list"}) == "list";
       }},
      {"backbone.dir", [](Protocol& p, const Setting& s) { p.backbone = path_value(s); }},
      {"backbone.allow-unknown-weights",
       [](Protocol& p, const Setting& s) {
         p.allow_unknown_weights = choice_value(s, {"yes", "no"}) == "yes";
       }},
      {"train.epochs",
       [](Protocol& p, const Setting& s) { p.training.epochs = integer_value(s, 1); }},
      {"train.batch",
       [](Protocol& p, const Setting& s) { p.training.batch = integer_value(s, 1); }},
      {"train.schedule",
       [](Protocol& p, const Setting& s) {
         p.training.schedule = choice_value(s, {"cosine", "constant"}) == "cosine"
                                   ? engine::Schedule::cosine
                                   : engine::Schedule::constant;
       }},
      {"train.warmup-epochs",
       [](Protocol& p, const Setting& s) { p.training.warmup_epochs = integer_value(s, 0); }},
      {"train.warmup-learning-rate",
       [](Protocol& p, const Setting& s) {
         p.training.warmup_learning_rate = real_value(s, 0.0, kNoLimit);
       }},
      {"train.augmentation",
       [](Protocol& p, const Setting& s) {
         const std::string value = choice_value(s, {"none", "flip", "crop-flip"});
         p.training.augmentation = value == "none"   ? engine::Augmentation::none
                                   : value == "flip" ? engine::Augmentation::flip
                                                     : engine::Augmentation::crop_flip;
       }},
      {"train.task-loss",
       [](Protocol& p, const Setting& s) {
         p.training.task_loss = choice_value(s, {"sum", "mean"}) == "sum" ? engine::TaskLoss::sum
                                                                          : engine::TaskLoss::mean;
       }},
      {"train.precision",
       [](Protocol& p, const Setting& s) {
         p.training.precision = choice_value(s, {"fp32", "bf16"});
       }},
      {"train.device",
       [](Protocol& p, const Setting& s) { p.device = choice_value(s, {"cpu", "cuda"}); }},
  };
  return keys;
}

const std::vector<std::string> kTrainingKeys = {"optimizer", "learning-rate", "weight-decay",
                                                "momentum"};

bool take_training(TrainingChoices& training, const std::string& key, const Setting& s) {
  if (key == "optimizer") {
    training.optimizer = choice_value(s, {"sgd", "adamw"});
  } else if (key == "learning-rate") {
    training.learning_rate = real_value(s, 0.0, kNoLimit);
  } else if (key == "weight-decay") {
    training.weight_decay = real_value(s, 0.0, kNoLimit);
  } else if (key == "momentum") {
    training.momentum = real_value(s, 0.0, 1.0);
  } else {
    return false;
  }
  return true;
}

/// What [method.NAME] says: for every row of the method.
struct MethodText {
  std::string origin;
  TrainingChoices training;
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
    std::vector<std::string> known = kTrainingKeys;
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
    std::vector<std::string> known = kTrainingKeys;
    for (const char* more : {"method", "sharing", "grouping", "grouping.NAME", "option.NAME"})
      known.emplace_back(more);
    unknown_key(s, section, key, known);
  }
}

template <class T>
void merge(std::optional<T>& own, const std::optional<T>& general) {
  if (!own) own = general;
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

/// Keys of [dataset] that need or exclude each other.
void check_split(const Protocol& protocol, const std::string& where) {
  const engine::DatasetSpec& d = protocol.dataset;
  const auto said = [&](const char* key) {
    const auto found = protocol.origins.find(std::string("dataset.") + key);
    return found == protocol.origins.end() ? std::string() : found->second;
  };
  if (d.split == "shots" && d.train_shots == 0)
    base::throw_config_error(
        where + ": split = shots in [dataset] needs train-shots, the pictures of each class");
  if (d.split != "shots" && d.train_shots > 0)
    base::throw_config_error(said("train-shots") +
                             ": train-shots is for split = shots, the split is " + d.split);
  const int validations = (d.validation_fraction > 0.0 ? 1 : 0) + (d.validation_shots > 0 ? 1 : 0) +
                          (d.validation_list ? 1 : 0);
  if (validations > 1)
    base::throw_config_error(
        where +
        ": [dataset] asks for validation pictures in more than one way; expected one of "
        "validation-fraction, validation-shots and validation = list");
}

[[noreturn]] void unknown_section(const Setting& s, const std::string& section,
                                  const std::string& key) {
  std::vector<std::string> keys;
  std::vector<std::string> sections = {"method.NAME", "row.LABEL", "search", "search.METHOD"};
  for (const auto& [known, take] : study_keys()) {
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
/// file's own sections decide; without one, the first dot behind the label does.
std::pair<std::string, std::string> split_key(const std::string& key,
                                              const std::vector<std::string>& sections) {
  std::string best;
  for (const std::string& section : sections)
    if (key.starts_with(section + ".") && section.size() > best.size()) best = section;
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
  for (const std::string& section : ini.sections)
    if (section.starts_with("row.")) {
      Row row;
      row.label = section.substr(4);
      row.origin = file.filename().string();
      if (!is_plain_name(row.label))
        base::throw_config_error(row.origin + ": row '" + row.label +
                                 "' is no name of letters, digits and - _ + .");
      rows.emplace_back(row, false);
    }

  for (const Setting& s : merge_settings(ini.settings, overrides)) {
    const auto [section, key] = split_key(s.key, ini.sections);
    const auto& keys = study_keys();
    const auto known =
        std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.first == s.key; });
    if (known != keys.end()) {
      known->second(protocol, s);
      protocol.origins[s.key] = s.origin;
    } else if (section.starts_with("method.")) {
      MethodText& method = methods[section.substr(7)];
      method.origin = s.origin;
      take_method_key(method, section, key, s);
    } else if (section == "search" || section.starts_with("search.")) {
      if (!protocol.search) protocol.search.emplace();
      take_search_key(*protocol.search, section == "search" ? "" : section.substr(7), key, s);
    } else if (section.starts_with("row.")) {
      const std::string label = section.substr(4);
      const auto row = std::find_if(rows.begin(), rows.end(),
                                    [&](const auto& r) { return r.first.label == label; });
      if (row == rows.end())
        base::throw_config_error(s.origin + ": the study has no row '" + label + "'");
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
      merge(row.training.optimizer, general.training.optimizer);
      merge(row.training.learning_rate, general.training.learning_rate);
      merge(row.training.weight_decay, general.training.weight_decay);
      merge(row.training.momentum, general.training.momentum);
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
  if (protocol.training.warmup_epochs >= protocol.training.epochs)
    base::throw_config_error(
        where + ": warmup-epochs in [train] is " + std::to_string(protocol.training.warmup_epochs) +
        ", expected fewer than the " + std::to_string(protocol.training.epochs) +
        " epochs; --set train.warmup-epochs=0 trains without warm-up");
  return protocol;
}

}  // namespace petlab::study
