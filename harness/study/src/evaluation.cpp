#include "petlab/study/evaluation.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/engine/evaluation.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/engine/stored_model.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/study/prepare_data.hpp"
#include "petlab/study/study_facts.hpp"
#include "planned_parts.hpp"

#include <utility>

namespace petlab::study {
namespace {

engine::RunSpec evaluation_spec(const Protocol& protocol, const results::RunRecord& run,
                                const ExecutionOptions& execution) {
  engine::RunSpec spec;
  static_cast<engine::RunSettings&>(spec) = protocol;
  spec.study = protocol.name;
  spec.label = "evaluation of " + base::short_hash(run.identity.hash);
  spec.method = run.method;
  spec.sharing = engine::parse_sharing(run.sharing);
  spec.seed = run.seed;
  spec.cache_dir = execution.cache_dir;
  spec.threads = execution.threads;
  spec.feature_store = execution.feature_store;
  return spec;
}

/// Of the identity. Said as before where each task that the run knows has its own adapters.
std::string stand_in_text(const engine::StandIn& stand_in) {
  return stand_in.for_all ? "for all: " + stand_in.task : stand_in.task;
}

results::RunIdentity evaluation_identity(const engine::RunSpec& spec, const StudyFacts& facts,
                                         const results::RunRecord& run,
                                         const engine::StandIn& stand_in,
                                         const std::string& target) {
  results::NamedValues parts = {
      {"kind", results::run_kind::kEvaluation},
      {"parent", run.identity.hash},
      {"adapters", run.adapters_hash},
      {"stand-in", stand_in_text(stand_in)},
      {"seed", std::to_string(spec.seed)},
      {"dataset.fingerprint", facts.dataset_fingerprint},
      {"dataset.split", facts.split_hashes.at(spec.seed)},
      {"backbone.weights", facts.backbone_weights},
      {"backbone.settings", facts.backbone_settings},
      {"host.sources", host_source_hash()},
      {"torch.version", facts.torch_version},
  };
  for (const char* key : {"train.precision", "train.device"})
    parts.emplace_back(key, engine::study_setting(key)->text(spec));
  if (!facts.class_names_hash.empty())
    parts.emplace_back("dataset.class-names", facts.class_names_hash);
  if (!target.empty()) parts.emplace_back("transfer", target);
  return results::make_identity(std::move(parts));
}

Job evaluation_job(const engine::RunSpec& spec, const StudyFacts& facts,
                   const results::RunRecord& run, const engine::StandIn& stand_in,
                   const std::string& target) {
  Job job;
  job.spec = spec;
  job.identity = evaluation_identity(spec, facts, run, stand_in, target);
  job.plugin = run.plugin;
  job.plugin_version = run.plugin_version;
  job.environment = planned_environment(facts, {spec.seed, spec.train_size});
  if (!target.empty()) job.environment.emplace_back(results::environment::kTransfer, target);
  return job;
}

}  // namespace

engine::StoredAdapters load_adapters(const std::filesystem::path& store,
                                     const results::RunRecord& run) {
  engine::StoredAdapters stored = engine::read_adapters(results::checked_adapter_file(store, run));
  if (stored.facts.identity != run.identity.hash)
    throw base::Error(base::ErrorKind::data, "the adapters of run " +
                                                 base::short_hash(run.identity.hash) +
                                                 " say that they are those of another run, " +
                                                 base::short_hash(stored.facts.identity));
  return stored;
}

Evaluation evaluate_run(Protocol protocol, const results::RunRecord& run,
                        const engine::StoredAdapters& stored, results::RunStore& store,
                        const engine::StandIn& stand_in, const ExecutionOptions& execution,
                        engine::Progress& progress, const std::string& target) {
  protocol.seeds = {run.seed};
  const StudyFacts facts = measure_facts(protocol);
  const engine::RunSpec spec = evaluation_spec(protocol, run, execution);
  std::vector<Job> jobs = {evaluation_job(spec, facts, run, stand_in, target)};
  const Job& job = jobs.front();
  if (store.has_done(job.identity.hash))
    return {.record = store.load(job.identity.hash).value(), .was_there = true};

  // Before any picture is decoded.
  (void)engine::match_tasks(stored, study_tasks(spec.dataset), stand_in);
  prepare_data(jobs, store, progress);
  engine::RunInputs inputs;
  inputs.backbone =
      clip::Backbone::load(spec.backbone, engine::parse_device(to_string(spec.device)),
                           {.allow_unknown_weights = spec.allow_unknown_weights});
  engine::read_split_manifest(inputs, job.manifest, spec.cache_dir,
                              static_cast<unsigned>(spec.threads));
  inputs.features = feature_place(job);
  const engine::RunInfo info{job.identity, job.plugin, job.plugin_version, job.environment};
  Evaluation result;
  result.record = engine::execute_evaluation(spec, info, inputs, stored, run, stand_in, progress);
  (void)store.record(result.record);
  return result;
}

}  // namespace petlab::study
