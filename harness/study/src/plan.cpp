#include "petlab/study/plan.hpp"

#include "ini_line.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/results/train_size_label.hpp"
#include "petlab/sdk/plugin.hpp"
#include "petlab/study/follow_up.hpp"
#include "planned_parts.hpp"
#include "search_points.hpp"

#include <algorithm>
#include <span>
#include <string_view>

namespace petlab::study {
namespace {

/// Runs `check`; what it throws says which row of which file it is about.
template <class Check>
auto for_row(const Row& row, Check&& check) {
  try {
    return check();
  } catch (const base::Error& error) {
    throw base::Error(base::ErrorKind::config,
                      row.origin + ": row '" + row.label + "': " + error.what());
  }
}

template <class Entry>
std::map<std::string, std::string> resolve_options(
    const Entry& entry, const std::string& owner, const std::map<std::string, std::string>& given) {
  const std::span schema(entry.options, entry.option_count);
  std::vector<std::string> known;
  for (const sdk::OptionSpec& spec : schema)
    known.emplace_back(spec.name);
  for (const auto& [name, value] : given)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw base::Error(base::ErrorKind::config, owner + " has no option '" + name + "'" +
                                                     base::did_you_mean(name, known) +
                                                     (known.empty() ? "; it has none" : ""));
  return sdk::Options(schema, given, owner).values();
}

/// Settings of row scope: what the row says, else what the method's publication does.
void resolve_training(engine::RunSettings& settings, const Row& row,
                      const sdk::TrainingDefaults& publication) {
  for (const engine::SettingEntry& entry : engine::setting_table()) {
    if (entry.scope != engine::SettingScope::row) continue;
    if (const auto given = row.training.find(entry.name); given != row.training.end())
      entry.take(settings, {entry.name, given->second, "", ""});
    else if (entry.publication)
      entry.take(settings,
                 {entry.name, entry.publication(publication), "the method's publication", ""});
  }
}

/// With `budget = published`: length and schedule of the training as the code of the method's
/// publication has them. A method without one keeps the protocol's, and `budget` says so.
void resolve_budget(engine::RunSettings& settings, const sdk::MethodEntry& method) {
  if (settings.training.budget == engine::Budget::equal) return;
  if (method.training.budget == nullptr || !trains(method)) {
    settings.training.budget = engine::Budget::equal;
    return;
  }
  const std::int64_t shots = settings.dataset.split == "shots" ? settings.dataset.train_shots : 0;
  const sdk::PublishedBudget budget = method.training.budget(shots);
  if (budget.epochs == 0 && budget.steps == 0)
    base::throw_config_error(
        "budget = published: the published budget of method '" + std::string(method.name) +
        "' depends on the number of shots; expected split = shots, or budget = equal");
  engine::take_budget(settings, budget);
}

void check_slices(const engine::Training& training, const Protocol& protocol) {
  if (training.slices <= training.batch) return;
  const auto said = protocol.origins.find("train.slices");
  base::throw_config_error((said == protocol.origins.end() ? "" : said->second + ": ") +
                           "'train.slices' is '" + std::to_string(training.slices) +
                           "', but batch is " + std::to_string(training.batch) +
                           ", expected at most as many slices as images in a batch");
}

engine::RunSpec row_spec(const Protocol& protocol, const Row& row, const PluginRegistry& plugins) {
  const sdk::MethodEntry& method = *plugins.method(row.method).entry;
  engine::check_sharing(method, row.sharing);
  engine::RunSpec spec;
  spec.study = protocol.name;
  spec.label = row.label;
  spec.method = row.method;
  spec.method_options = resolve_options(method, "method '" + row.method + "'", row.method_options);
  spec.sharing = row.sharing;
  if (!row.grouping.empty()) {
    const sdk::GroupingEntry& grouping = *plugins.grouping(row.grouping).entry;
    spec.grouping = engine::GroupingSpec{
        row.grouping,
        resolve_options(grouping, "grouping '" + row.grouping + "'", row.grouping_options)};
  }
  static_cast<engine::RunSettings&>(spec) = protocol;
  resolve_training(spec, row, method.training);
  return spec;
}

/// The training sizes that a row is run at. What trains nothing is the same at all of them, so that
/// it is run at the largest alone, without a size of its own.
std::vector<TrainSize> sizes_of_row(const Protocol& protocol, const Row& row,
                                    const PluginRegistry& plugins) {
  std::vector<TrainSize> sizes = train_sizes(protocol.dataset);
  if (sizes.size() == 1 ||
      std::string_view(plugins.method(row.method).entry->trait) != sdk::trait::kBaseline)
    return sizes;
  const auto images = [](const TrainSize& size) {
    return size.dataset.split == "shots" ? static_cast<double>(size.dataset.train_shots)
                                         : size.dataset.train_fraction;
  };
  TrainSize largest = *std::max_element(
      sizes.begin(), sizes.end(),
      [&](const TrainSize& a, const TrainSize& b) { return images(a) < images(b); });
  largest.text.clear();
  return {largest};
}

/// Which rows of a study with published budgets have none of their own; "" where all have.
std::string budget_note(const Protocol& protocol, const PluginRegistry& plugins) {
  if (protocol.training.budget == engine::Budget::equal) return "";
  std::vector<std::string> rows;
  for (const Row& row : protocol.rows) {
    const sdk::MethodEntry& method = *plugins.method(row.method).entry;
    if (method.training.budget == nullptr && trains(method)) rows.push_back(row.label);
  }
  if (rows.empty()) return "";
  return "budget = published: no public code says how long to train " + base::joined(rows) +
         "; trained for the budget of [train]";
}

/// The split that a run has.
SplitOf split_of(const engine::RunSpec& spec) {
  return {spec.seed, spec.train_size};
}

void add_line(std::string& text, const std::string& key, const std::string& value) {
  text += key + " = " + ini_value(value) + "\n";
}

}  // namespace

std::vector<engine::RunSpec> expand(const Protocol& protocol, const PluginRegistry& plugins,
                                    const ExecutionOptions& execution) {
  std::vector<engine::RunSpec> specs;
  std::int64_t place = 0;
  for (const Row& row : protocol.rows) {
    engine::RunSpec spec = for_row(row, [&] { return row_spec(protocol, row, plugins); });
    spec.cache_dir = execution.cache_dir;
    spec.threads = execution.threads;
    spec.checkpoint_seconds = execution.checkpoint_seconds;
    spec.feature_store = execution.feature_store;
    // Runs that are scored on validation images are there to choose settings by, and many.
    spec.keep_adapters = execution.keep_adapters && !spec.dataset.tests_on_validation();
    for (const TrainSize& size : sizes_of_row(protocol, row, plugins)) {
      spec.row = place++;
      spec.label = results::train_size_label({row.label, size.text});
      spec.train_size = size.text;
      spec.dataset = size.dataset;
      engine::RunSpec sized = spec;
      for_row(row, [&] { resolve_budget(sized, *plugins.method(row.method).entry); });
      check_slices(sized.training, protocol);
      for (const std::uint64_t seed : protocol.seeds) {
        sized.seed = seed;
        specs.push_back(sized);
      }
    }
  }
  return specs;
}

Plan make_plan(const Protocol& protocol, const std::vector<engine::RunSpec>& specs,
               const PluginRegistry& plugins, const StudyFacts& facts) {
  Plan plan;
  plan.study.name = protocol.name;
  plan.study.protocol = protocol_text(protocol, specs);
  plan.train_images = facts.train_images;
  for (const auto& [split, notes] : facts.notes)
    for (const std::string& note : notes)
      if (std::find(plan.notes.begin(), plan.notes.end(), note) == plan.notes.end())
        plan.notes.push_back(note);
  std::map<std::string, std::string> labels;
  for (const engine::RunSpec& spec : specs) {
    const LoadedPlugin& method = *plugins.method(spec.method).plugin;
    Job job;
    job.spec = spec;
    job.plugin = method.descriptor->name;
    job.plugin_version = method.descriptor->version;
    if (!method.host.empty()) job.plugin_files.push_back(method.host);
    job.plugin_files.push_back(method.file);
    RunFacts run{.dataset_fingerprint = facts.dataset_fingerprint,
                 .split_hash = facts.split_hashes.at(split_of(spec)),
                 .backbone_weights = facts.backbone_weights,
                 .backbone_settings = facts.backbone_settings,
                 .method_sources = method.descriptor->source_hash,
                 .grouping_sources = "",
                 .host_sources = host_source_hash(),
                 .torch_version = facts.torch_version,
                 .class_names = facts.class_names_hash};
    if (spec.grouping) {
      const LoadedPlugin& grouping = *plugins.grouping(spec.grouping->strategy).plugin;
      run.grouping_sources = grouping.descriptor->source_hash;
      if (grouping.file != method.file) job.plugin_files.push_back(grouping.file);
    }
    job.identity = run_identity(spec, run);
    job.environment = planned_environment(facts, {spec.seed, spec.train_size});
    const auto [twin, is_new] =
        labels.emplace(job.identity.hash, spec.label + " (seed " + std::to_string(spec.seed) + ")");
    if (!is_new)
      throw base::Error(base::ErrorKind::config, protocol.file.filename().string() + ": rows " +
                                                     twin->second + " and " + spec.label +
                                                     " are the same run; remove one");
    plan.study.plan.push_back({job.identity.hash, spec.row, spec.label, spec.seed, spec.method,
                               to_string(spec.sharing),
                               spec.grouping ? spec.grouping->strategy : ""});
    plan.jobs.push_back(std::move(job));
  }
  if (const std::string note = budget_note(protocol, plugins); !note.empty())
    plan.notes.push_back(note);
  check_follow_ups(protocol, facts);
  plan.bound_to_classes = rows_bound_to_classes(protocol, plan, plugins);
  if (!plan.bound_to_classes.empty())
    plan.notes.push_back(bound_rows_note(protocol, plan.bound_to_classes));
  return plan;
}

std::string protocol_text(const Protocol& protocol, const std::vector<engine::RunSpec>& specs) {
  std::string seeds, text;
  for (const std::uint64_t seed : protocol.seeds)
    seeds += (seeds.empty() ? "" : ",") + std::to_string(seed);
  text += "[study]\n";
  add_line(text, "name", protocol.name);
  if (!protocol.description.empty()) add_line(text, "description", protocol.description);
  add_line(text, "seeds", seeds);
  if (protocol.equivalence_margin)
    add_line(text, "equivalence-margin", base::number_text(*protocol.equivalence_margin));
  std::string_view section;
  for (const engine::SettingEntry& entry : engine::setting_table()) {
    if (entry.scope != engine::SettingScope::study || !entry.is_said(protocol)) continue;
    if (section != entry.section) text += "[" + std::string(entry.section) + "]\n";
    section = entry.section;
    add_line(text, entry.name, entry.text(protocol));
  }
  std::string last_row;
  for (const engine::RunSpec& spec : specs) {
    const std::string row = results::parse_train_size_label(spec.label).row;
    if (row == last_row) continue;
    last_row = row;
    text += "[row." + row + "]\n";
    add_line(text, "method", spec.method);
    for (const auto& [name, value] : spec.method_options)
      add_line(text, "option." + name, value);
    add_line(text, "sharing", to_string(spec.sharing));
    if (spec.grouping) {
      add_line(text, "grouping", spec.grouping->strategy);
      for (const auto& [name, value] : spec.grouping->options)
        add_line(text, "grouping." + name, value);
    }
    for (const engine::SettingEntry& entry : engine::setting_table())
      if (entry.scope == engine::SettingScope::row &&
          !(entry.is_optional && entry.is_default(spec)))
        add_line(text, entry.name, entry.text(spec));
  }
  return text;
}

}  // namespace petlab::study
