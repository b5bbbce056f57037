#include "petlab/study/worker.hpp"

#include "full_disk.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/engine/rank_store.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/split_manifest.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "petlab/sdk/plugin.hpp"
#include "planned_parts.hpp"
#include "stop_signal.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>

namespace petlab::study {
namespace {

/// What was computed for hours is not thrown away because a server is started anew.
constexpr std::chrono::minutes kPatienceWithServers{5};

void check_plugin_sources(const LoadedPlugin& plugin, const std::string& planned) {
  check_unchanged("plugin " + plugin.file.filename().string(), plugin.descriptor->source_hash,
                  planned);
}

/// Loads the plugins and what the run works on. The plugins stay to the end of the process.
engine::RunInputs prepare(const WorkerRequest& order) {
  const Job& job = order.job;
  const engine::RunSpec& spec = job.spec;
  static auto& plugins = *new PluginRegistry({.folders = {}, .files = job.plugin_files});
  for (const RefusedPlugin& refused : plugins.refused())
    throw base::Error(base::ErrorKind::plugin, refused.reason);
  engine::RunInputs inputs;
  const MethodRef method = plugins.method(spec.method);
  check_plugin_sources(*method.plugin, identity_part(job.identity, "method.sources"));
  inputs.method = method.entry;
  inputs.method_licence = method.plugin->descriptor->licence;
  if (spec.grouping) {
    const GroupingRef grouping = plugins.grouping(spec.grouping->strategy);
    check_plugin_sources(*grouping.plugin, identity_part(job.identity, "grouping.sources"));
    inputs.grouping = grouping.entry;
  }
  inputs.backbone =
      clip::Backbone::load(spec.backbone, engine::parse_device(to_string(spec.device)),
                           {.allow_unknown_weights = spec.allow_unknown_weights});
  inputs.backbone_hash = inputs.backbone->weight_hash();
  check_unchanged("backbone " + spec.backbone.string(), inputs.backbone_hash,
                  identity_part(job.identity, "backbone.weights"));
  check_unchanged("settings of backbone " + spec.backbone.string(),
                  inputs.backbone->settings_hash(),
                  identity_part(job.identity, "backbone.settings"));
  engine::read_split_manifest(inputs, job.manifest, spec.cache_dir,
                              static_cast<unsigned>(spec.threads), spec.training.augmentation);
  inputs.features = feature_place(job);
  if (order.detached && spec.feature_store) inputs.features->folder = order.detached->features;
  if (order.ranks.size > 1) inputs.ranks = engine::join_ranks(order.ranks);
  check_unchanged("the split", inputs.split_hash, identity_part(job.identity, "dataset.split"));
  return inputs;
}

/// Progress that tells the signal's handler when a checkpoint can be written.
class StoppableProgress final : public engine::Progress {
 public:
  StoppableProgress(engine::Progress& inner, StopSignal* signal) : inner_(inner), signal_(signal) {}
  void begin(std::string_view phase, std::int64_t total) override {
    if (signal_ != nullptr) signal_->set_training(phase == "train");
    inner_.begin(phase, total);
  }
  void update(std::int64_t done, std::string_view detail) override { inner_.update(done, detail); }
  void note(std::string_view text) override { inner_.note(text); }

 private:
  engine::Progress& inner_;
  StopSignal* signal_;
};

/// The part of a rank other than 0 in a run. False where the run failed; the reason is printed.
bool follow(const WorkerRequest& order) {
  const Job& job = order.job;
  check_unchanged("petlab", host_source_hash(), identity_part(job.identity, "host.sources"));
  engine::RunInfo info{job.identity, job.plugin, job.plugin_version, job.environment};
  info.checkpoint = {order.detached ? order.detached->checkpoints / checkpoint_name(job.identity)
                                    : checkpoint_file(order.store, job.identity),
                     job.spec.checkpoint_seconds, /*is_written=*/false};
  engine::NoProgress silent;
  const results::RunRecord record =
      engine::run_guarded(job.spec, info, [&] { return prepare(order); }, silent);
  if (record.status == results::RunStatus::done) return true;
  std::cerr << record.error << std::endl;
  return false;
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
  text = base::message_line(text);
  text += '\n';
  // Progress that nobody reads any more must not end a run.
  [[maybe_unused]] const auto written = ::write(descriptor_, text.data(), text.size());
}

std::filesystem::path checkpoint_file(const std::filesystem::path& store,
                                      const results::RunIdentity& identity) {
  std::filesystem::path folder = results::beside_store(store);
  folder += ".checkpoints";
  return folder / checkpoint_name(identity);
}

std::string checkpoint_name(const results::RunIdentity& identity) {
  return identity.hash + ".safetensors";
}

bool work(const WorkerRequest& order, ProgressLines& progress) {
  const Job& job = order.job;
  if (order.ranks.rank > 0) return follow(order);
  const auto say = [&](const std::string& text) { progress.note(text); };
  auto store = results::RunStore::reopen(order.store, results::OpenMode::read_write,
                                         {kPatienceWithServers, say});
  if (store.file_id() != order.store_file)
    throw base::Error(base::ErrorKind::store,
                      "results store '" + results::shown_address(order.store) +
                          "' is not the one that it was when its study was started: it was "
                          "replaced meanwhile; nothing is written to it");
  engine::RunInfo info{job.identity, job.plugin, job.plugin_version, job.environment};
  info.checkpoint = {checkpoint_file(order.store, job.identity), job.spec.checkpoint_seconds};
  std::optional<StopSignal> signal;
  if (order.detached) {
    info.checkpoint.file = order.detached->checkpoints / checkpoint_name(job.identity);
    signal.emplace();
  }
  if (job.spec.keep_adapters) {
    info.adapters.file = results::adapter_file(order.store, job.identity.hash);
    info.adapters.write_when_possible = [&](const std::function<void()>& write) {
      write_when_there_is_room(
          [&] {
            // The file of a run that somebody has finished meanwhile is that one's.
            if (!store.has_done(job.identity.hash)) write();
          },
          say);
    };
  }
  StoppableProgress watched(progress, signal ? &*signal : nullptr);
  watched.begin("setup", 0);
  const results::RunRecord record =
      engine::run_guarded(job.spec, info, [&] { return prepare(order); }, watched);
  if (signal) signal->hold();  // what is computed is stored, whoever asks
  write_when_there_is_room([&] { store.record(record); }, say);
  if (record.status != results::RunStatus::done) return false;  // --retry goes on from there
  std::error_code ignored;
  if (!order.detached) std::filesystem::remove(info.checkpoint.file, ignored);
  return true;
}

}  // namespace petlab::study
