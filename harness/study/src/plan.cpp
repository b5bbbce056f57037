#include "petlab/study/plan.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/engine/run.hpp"

#include <algorithm>
#include <span>

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

engine::Training resolve_training(engine::Training training, const TrainingChoices& row,
                                  const sdk::TrainingDefaults& publication) {
  training.optimizer = row.optimizer.value_or(publication.optimizer);
  training.learning_rate = row.learning_rate.value_or(publication.learning_rate);
  training.weight_decay = row.weight_decay.value_or(publication.weight_decay);
  training.momentum = row.momentum.value_or(publication.momentum);
  return training;
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
  spec.training = resolve_training(protocol.training, row.training, method.training);
  spec.dataset = protocol.dataset;
  spec.backbone = protocol.backbone;
  spec.allow_unknown_weights = protocol.allow_unknown_weights;
  spec.device = protocol.device;
  return spec;
}

void add_line(std::string& text, const std::string& key, const std::string& value) {
  text += key + " = " + value + "\n";
}

}  // namespace

std::vector<engine::RunSpec> expand(const Protocol& protocol, const PluginRegistry& plugins,
                                    const Workplace& workplace) {
  std::vector<engine::RunSpec> specs;
  for (std::size_t i = 0; i < protocol.rows.size(); ++i) {
    const Row& row = protocol.rows[i];
    engine::RunSpec spec = for_row(row, [&] { return row_spec(protocol, row, plugins); });
    spec.row = static_cast<std::int64_t>(i);
    spec.cache_dir = workplace.cache_dir;
    spec.threads = workplace.threads;
    spec.checkpoint_seconds = workplace.checkpoint_seconds;
    spec.feature_store = workplace.feature_store;
    for (const std::uint64_t seed : protocol.seeds) {
      spec.seed = seed;
      specs.push_back(spec);
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
  std::map<std::string, std::string> labels;
  for (const engine::RunSpec& spec : specs) {
    const LoadedPlugin& method = *plugins.method(spec.method).plugin;
    Job job;
    job.spec = spec;
    job.plugin = method.descriptor->name;
    job.plugin_version = method.descriptor->version;
    job.plugin_files = {method.file};
    RunFacts run{.dataset_fingerprint = facts.dataset_fingerprint,
                 .split_hash = facts.split_hashes.at(spec.seed),
                 .backbone_weights = facts.backbone_weights,
                 .backbone_settings = facts.backbone_settings,
                 .method_sources = method.descriptor->source_hash,
                 .grouping_sources = "",
                 .host_sources = host_source_hash(),
                 .torch_version = facts.torch_version};
    if (spec.grouping) {
      const LoadedPlugin& grouping = *plugins.grouping(spec.grouping->strategy).plugin;
      run.grouping_sources = grouping.descriptor->source_hash;
      if (grouping.file != method.file) job.plugin_files.push_back(grouping.file);
    }
    job.identity = run_identity(spec, run);
    job.environment = {{results::environment::kSources, host_source_state()},
                       {results::environment::kPetlabVersion, program_version()}};
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
  return plan;
}

std::string protocol_text(const Protocol& protocol, const std::vector<engine::RunSpec>& specs) {
  const engine::Training& t = protocol.training;
  std::string seeds, text;
  for (const std::uint64_t seed : protocol.seeds)
    seeds += (seeds.empty() ? "" : ",") + std::to_string(seed);
  text += "[study]\n";
  add_line(text, "name", protocol.name);
  if (!protocol.description.empty()) add_line(text, "description", protocol.description);
  add_line(text, "seeds", seeds);
  text += "[dataset]\n";
  add_line(text, "name", protocol.dataset.name);
  add_line(text, "root", protocol.dataset.root.string());
  for (const auto& [key, value] : engine::dataset_values(protocol.dataset))
    add_line(text, key, value);
  text += "[backbone]\n";
  add_line(text, "dir", protocol.backbone.string());
  if (protocol.allow_unknown_weights) add_line(text, "allow-unknown-weights", "yes");
  text += "[train]\n";
  add_line(text, "epochs", std::to_string(t.epochs));
  add_line(text, "batch", std::to_string(t.batch));
  add_line(text, "schedule", to_string(t.schedule));
  add_line(text, "warmup-epochs", std::to_string(t.warmup_epochs));
  add_line(text, "warmup-learning-rate", base::number_text(t.warmup_learning_rate));
  add_line(text, "augmentation", to_string(t.augmentation));
  add_line(text, "task-loss", to_string(t.task_loss));
  add_line(text, "precision", t.precision);
  add_line(text, "device", protocol.device);
  std::int64_t last_row = -1;
  for (const engine::RunSpec& spec : specs) {
    if (spec.row == last_row) continue;
    last_row = spec.row;
    text += "[row." + spec.label + "]\n";
    add_line(text, "method", spec.method);
    for (const auto& [name, value] : spec.method_options)
      add_line(text, "option." + name, value);
    add_line(text, "sharing", to_string(spec.sharing));
    if (spec.grouping) {
      add_line(text, "grouping", spec.grouping->strategy);
      for (const auto& [name, value] : spec.grouping->options)
        add_line(text, "grouping." + name, value);
    }
    add_line(text, "optimizer", spec.training.optimizer);
    add_line(text, "learning-rate", base::number_text(spec.training.learning_rate));
    add_line(text, "weight-decay", base::number_text(spec.training.weight_decay));
    add_line(text, "momentum", base::number_text(spec.training.momentum));
  }
  return text;
}

}  // namespace petlab::study
