#include "study_command.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/results/named_values.hpp"
#include "petlab/results/study_name.hpp"
#include "petlab/results/train_size_label.hpp"
#include "petlab/study/cpu_shares.hpp"
#include "petlab/study/follow_up.hpp"
#include "petlab/study/rank_meeting.hpp"
#include "petlab/study/search.hpp"
#include "petlab/study/study_facts.hpp"
#include "places.hpp"

#include <algorithm>
#include <iostream>
#include <set>
#include <utility>

namespace petlab::app {
namespace {

/// An option that stands for one key of the protocol.
struct Override {
  std::string option;
  std::string key;
  std::string help;
};

std::vector<Override> key_options() {
  std::vector<Override> result = {
      {"seeds", "study.seeds", "seeds, e.g. 1,2 or 1-5"},
      {"root", "dataset.root", "the same as --dataset-root"},
  };
  for (const engine::SettingEntry& entry : engine::setting_table())
    if (*entry.option != '\0')
      result.push_back(
          {entry.option, entry.key(), std::string(entry.help) + " (" + entry.values + ")"});
  return result;
}

/// The environment's first, then the command line's: later ones win.
std::vector<study::Setting> overrides(const Parsed& options) {
  std::vector<study::Setting> result;
  for (const bool environment : {true, false})
    for (const Override& one : key_options())
      if (options.has(one.option) &&
          environment == (options.from_environment.count(one.option) > 0))
        result.push_back({one.key, options.text(one.option),
                          environment ? variable_of(one.option) : "--" + one.option, ""});
  if (options.get<bool>("allow-unknown-weights"))
    result.push_back({"backbone.allow-unknown-weights", "yes", "--allow-unknown-weights", ""});
  if (options.has("set"))
    for (const std::string& text : options.get<std::vector<std::string>>("set")) {
      const auto equals = text.find('=');
      if (equals == std::string::npos || equals == 0)
        base::throw_config_error("--set " + text +
                                 ": expected KEY=VALUE, e.g. --set train.batch=4");
      const std::string value = text.substr(equals + 1);
      if (value.size() > 1 && (value.front() == '"' || value.front() == '\'') &&
          value.front() == value.back())
        base::throw_config_error("--set " + text + ": the value stands in quotes, which would be " +
                                 "part of it; the shell takes off one pair, so write one");
      result.push_back({text.substr(0, equals), value, "--set " + text, ""});
    }
  return result;
}

void check_rows(const study::Protocol& protocol, const Parsed& options) {
  if (!options.has("rows")) return;
  std::vector<std::string> labels;
  for (const study::Row& row : protocol.rows) {
    labels.push_back(row.label);
    for (const study::TrainSize& size : study::train_sizes(protocol.dataset))
      if (!size.text.empty()) labels.push_back(results::train_size_label({row.label, size.text}));
  }
  for (const std::string& label : split_list(options.text("rows")))
    if (std::find(labels.begin(), labels.end(), label) == labels.end())
      base::throw_config_error("--rows: the study has no row '" + label + "'" +
                               base::did_you_mean(label, labels));
}

/// The runs of the rows of --rows, and of their trials.
std::vector<study::Job> choose_rows(const study::Plan& plan, const Parsed& options) {
  if (!options.has("rows")) return plan.jobs;
  const std::vector<std::string> chosen = split_list(options.text("rows"));
  std::vector<study::Job> jobs;
  for (const study::Job& job : plan.jobs)
    if (std::any_of(chosen.begin(), chosen.end(), [&](const std::string& label) {
          return job.spec.label == label || study::is_trial_of(job.spec.label, label) ||
                 results::parse_train_size_label(job.spec.label).row == label;
        }))
      jobs.push_back(job);
  return jobs;
}

std::filesystem::path cache_folder(const Parsed& options) {
  return std::filesystem::absolute(options.has("cache-dir")
                                       ? std::filesystem::path(options.text("cache-dir"))
                                       : default_cache());
}

double checkpoint_seconds(const Parsed& options) {
  const double seconds = options.get<double>("checkpoint");
  constexpr double kYear = 365.0 * 24 * 3600;
  if (!(seconds >= 0.0 && seconds <= kYear))
    base::throw_config_error("--checkpoint is " + base::number_text(seconds) +
                             ", expected seconds, at least 0 and at most a year");
  return seconds;
}

/// Fills the machine: runs at once times threads of each is the number of CPUs that this process
/// may use. One run at a time on a GPU, unless asked otherwise.
void share_cores(PreparedStudy& study, const Parsed& options) {
  const int started = study::ranks_on_this_host();
  study.ranks = started > 0 ? started : ranks_of(options);
  const int cores = std::max(1, study::usable_cpus() / study.ranks);
  if (options.has("threads")) study.threads = count_of(options, "threads", 1, kMostThreads);
  if (options.has("workers")) {
    study.workers = count_of(options, "workers", 1, kMostThreads);
  } else if (study.protocol.device != engine::DeviceKind::cpu || started > 0) {
    study.workers = 1;
  } else {
    study.workers = std::max(1, cores / study.threads);
  }
  if (!options.has("threads")) study.threads = std::max(1, cores / study.workers);
}

}  // namespace

int ranks_of(const Parsed& options) {
  return options.has("ranks") ? count_of(options, "ranks", 1, kMostThreads) : 1;
}

std::string variable_of(const std::string& option) {
  std::string name = "PETLAB_" + option;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

std::vector<std::string> study_option_names() {
  po::options_description options;
  add_study_options(options);
  add_running_options(options);
  std::vector<std::string> names;
  for (const auto& option : options.options())
    names.push_back(option->long_name());
  return names;
}

void add_data_options(po::options_description& options) {
  options.add_options()("store", text_value(), "results database");
  for (const Override& one : key_options())
    if (one.key.starts_with("dataset.") || one.key.starts_with("backbone.") ||
        one.key == "train.precision" || one.key == "train.device")
      options.add_options()(one.option.c_str(), text_value(), one.help.c_str());
  options.add_options()("allow-unknown-weights", po::bool_switch(),
                        "load a .pt that is not an official OpenAI checkpoint")(
      "threads", po::value<int>(), "threads (default: the CPUs that this process may use)")(
      "cache-dir", text_value(),
      "image and feature caches (default: datasets/cache of the project)")(
      "no-feature-store", po::bool_switch(), "compute image features that runs have kept");
}

study::ExecutionOptions data_execution(const Parsed& options, const results::RunRecord& run) {
  study::ExecutionOptions execution;
  execution.cache_dir = cache_folder(options);
  execution.threads = study::usable_cpus();
  const std::string* had = results::find_value(run.environment, results::environment::kThreads);
  if (options.has("threads"))
    execution.threads = count_of(options, "threads", 1, kMostThreads);
  else if (const auto number = had != nullptr ? base::parse_number<int>(*had) : std::nullopt)
    execution.threads = std::clamp(*number, 1, execution.threads);
  execution.feature_store = !options.get<bool>("no-feature-store");
  return execution;
}

void add_study_options(po::options_description& options) {
  options.add_options()("store", text_value(),
                        "results database (default: results/<study>.sqlite)")(
      "with", texts_value(),
      "one more protocol file, whose values replace the study's; may be repeated")(
      "rows", text_value(), "only these rows, e.g. coop-joint,mmap-joint");
  for (const Override& one : key_options())
    options.add_options()(one.option.c_str(), text_value(), one.help.c_str());
  options.add_options()("allow-unknown-weights", po::bool_switch(),
                        "load a .pt that is not an official OpenAI checkpoint")(
      "set", texts_value(),
      "any key of the protocol: KEY=VALUE, e.g. method.coop.learning-rate=0.01")(
      "workers", po::value<int>(), "parallel runs (default: cores / threads)")(
      "threads", po::value<int>(), "threads per run (default: cores / workers, at least 1)")(
      "checkpoint", po::value<double>()->default_value(60.0, "60"),
      "seconds of training between two checkpoints of a run; 0: one after each step")(
      "cache-dir", text_value(),
      "image and feature caches (default: datasets/cache of the project)")(
      "no-feature-store", po::bool_switch(),
      "let each run compute the image features that others have computed before it")(
      "no-adapters", po::bool_switch(),
      "do not keep the adapters of finished runs (STORE.adapters, for petlab evaluate)")(
      "plugin-dir", texts_value(), "folder with plugins, searched first; may be repeated");
}

std::unique_ptr<study::PluginRegistry> load_plugins(const Parsed& options) {
  std::vector<std::filesystem::path> folders;
  if (options.has("plugin-dir"))
    for (const std::string& folder : options.get<std::vector<std::string>>("plugin-dir"))
      folders.emplace_back(folder);
  return std::make_unique<study::PluginRegistry>(
      study::PluginRegistry::Source{.folders = study::plugin_folders(folders), .files = {}});
}

void warn_of_refused(const study::PluginRegistry& plugins) {
  for (const study::RefusedPlugin& plugin : plugins.refused())
    std::cerr << "petlab: " << base::message_line(plugin.reason) << "\n";
}

std::vector<std::filesystem::path> study_files(const Parsed& options) {
  std::vector<std::filesystem::path> files = {options.text("STUDY")};
  if (options.has("with"))
    for (const std::string& file : options.get<std::vector<std::string>>("with"))
      files.emplace_back(file);
  return files;
}

study::Protocol read_study(const std::vector<std::filesystem::path>& files, const Parsed& options) {
  study::Protocol protocol = study::read_protocol(files, overrides(options));
  check_rows(protocol, options);
  return protocol;
}

PreparedStudy prepare_protocol(study::Protocol protocol, const Parsed& options,
                               const study::PluginRegistry& plugins) {
  PreparedStudy study;
  study.protocol = std::move(protocol);
  if (study::has_follow_ups(study.protocol) && options.get<bool>("no-adapters"))
    base::throw_config_error(
        "the study tests the adapters of its runs once more (classes = base, cross-domain or "
        "leave-out in [dataset]): leave --no-adapters out");
  share_cores(study, options);
  const auto specs =
      study::expand(study.protocol, plugins,
                    {cache_folder(options), study.threads, checkpoint_seconds(options),
                     !options.get<bool>("no-feature-store"), !options.get<bool>("no-adapters")});
  study.plan =
      study::make_plan(study.protocol, specs, plugins, study::measure_facts(study.protocol));
  study.wanted = choose_rows(study.plan, options);
  // The tables of one setting share a store: "icon-home/depth" is in icon-home.sqlite. So do the
  // variants of a study.
  const std::string name = results::base_study(study.protocol.name);
  study.store = options.has("store") ? std::filesystem::path(options.text("store"))
                                     : std::filesystem::path("results") /
                                           (name.substr(0, name.find('/')) + ".sqlite");
  return study;
}

}  // namespace petlab::app
