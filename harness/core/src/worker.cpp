#include "petlab/core/worker.hpp"

#include "petlab/clip/checkpoint.hpp"
#include "petlab/core/run.hpp"
#include "petlab/core/run_inputs.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/sdk/error.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace petlab::core {
namespace {

const std::string& part(const results::RunIdentity& identity, const std::string& name) {
  for (const auto& [key, value] : identity.parts)
    if (key == name) return value;
  throw sdk::Error(sdk::ErrorKind::internal, "the run's identity has no part '" + name + "'");
}

/// The plan measured the files before; what is computed must be what it names.
void check_unchanged(const std::string& what, const std::string& found,
                     const std::string& planned) {
  if (found != planned)
    throw sdk::Error(sdk::ErrorKind::data, what + " changed since the study was planned (" +
                                               found.substr(0, 12) + ", planned " +
                                               planned.substr(0, 12) + "); start it again");
}

void check_plugin_sources(const LoadedPlugin& plugin, const std::string& planned) {
  check_unchanged("plugin " + plugin.file.filename().string(), plugin.descriptor->source_hash,
                  planned);
}

class Preparation {
 public:
  Preparation(const Job& job, ProgressLines& progress, results::RunStore& store)
      : job_(job), progress_(progress), store_(store) {}

  RunInputs operator()() {
    const RunSpec& spec = job_.spec;
    static auto& plugins = *new PluginRegistry({.folders = {}, .files = job_.plugin_files});
    for (const RefusedPlugin& refused : plugins.refused())
      throw sdk::Error(sdk::ErrorKind::plugin, refused.reason);
    RunInputs inputs;
    const MethodRef method = plugins.method(spec.method);
    check_plugin_sources(*method.plugin, part(job_.identity, "method.sources"));
    inputs.method = method.entry;
    if (spec.grouping) {
      const GroupingRef grouping = plugins.grouping(spec.grouping->strategy);
      check_plugin_sources(*grouping.plugin, part(job_.identity, "grouping.sources"));
      inputs.grouping = grouping.entry;
    }
    const datasets::Dataset dataset = open_study_dataset(spec.dataset);
    check_unchanged("data set " + spec.dataset.root.string(), dataset.fingerprint,
                    part(job_.identity, "dataset.fingerprint"));
    const datasets::Split split = study_split(dataset, spec.dataset, spec.seed);
    check_unchanged("the split", split.hash, part(job_.identity, "dataset.split"));
    store_.register_split(split_record(dataset, split, spec.dataset));
    inputs.backbone = clip::Backbone::load(spec.backbone, parse_device(spec.device),
                                           {.allow_unknown_weights = spec.allow_unknown_weights});
    check_unchanged("backbone " + spec.backbone.string(), inputs.backbone->weight_hash(),
                    part(job_.identity, "backbone.weights"));
    check_unchanged("settings of backbone " + spec.backbone.string(),
                    clip::model_settings_hash(spec.backbone),
                    part(job_.identity, "backbone.settings"));
    add_tasks(inputs, dataset, split, spec, progress_);
    return inputs;
  }

 private:
  const Job& job_;
  ProgressLines& progress_;
  results::RunStore& store_;
};

double mean_accuracy(const results::RunRecord& record) {
  double sum = 0.0;
  for (const results::TaskResult& task : record.tasks)
    sum += task.accuracy();
  return record.tasks.empty() ? 0.0 : sum / static_cast<double>(record.tasks.size());
}

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void ProgressLines::begin(std::string_view phase, std::int64_t total) {
  last_update_ms_ = 0;
  line("phase " + std::string(phase) + " " + std::to_string(total));
}

void ProgressLines::update(std::int64_t done, std::string_view detail) {
  const std::int64_t now = now_ms();
  if (now - last_update_ms_ < 100) return;  // a step may take less than a write
  last_update_ms_ = now;
  line("update " + std::to_string(done) + " " + std::string(detail));
}

void ProgressLines::note(std::string_view text) {
  line("note " + std::string(text));
}

void ProgressLines::line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  text += '\n';
  // Progress that nobody reads any more must not end a run.
  [[maybe_unused]] const auto written = ::write(descriptor_, text.data(), text.size());
}

bool work(const WorkOrder& order, ProgressLines& progress) {
  const Job& job = order.job;
  results::RunStore store(order.store);
  const RunInfo info{job.identity, job.plugin, job.plugin_version, job.environment};
  progress.begin("setup", 0);
  const results::RunRecord record =
      run_guarded(job.spec, info, Preparation(job, progress, store), progress);
  store.record(record);
  if (record.status == results::RunStatus::done)
    progress.line("done " + std::to_string(mean_accuracy(record)));
  else
    progress.line("failed " + record.error_kind + " " + record.error);
  return record.status == results::RunStatus::done;
}

}  // namespace petlab::core
