#include "petlab/base/read_file.hpp"
#include "petlab/engine/run_checkpoint.hpp"
#include "petlab/engine/stored_adapters.hpp"
#include "petlab/study/worker.hpp"
#include "rules.hpp"
#include "scratch.hpp"
#include "targets.hpp"

#include <ATen/ATen.h>

#include <string>

// Files of runs: checkpoints, stored adapters, and what a worker gets on its standard input.
namespace petlab::fuzz {
namespace {

namespace fs = std::filesystem;

results::RunRecord this_run() {
  results::RunRecord record;
  record.identity.hash = std::string(64, 'a');
  return record;
}

/// Never an error: what cannot be used is said, and the run starts anew.
bool checkpoint(Bytes bytes) {
  const fs::path file = scratch().write("run.safetensors", bytes);
  results::RunRecord record = this_run();
  engine::NoProgress progress;
  const engine::RunCheckpoint read({file, 60.0}, record, progress);
  if (!read.position()) {
    require(read.tensors().empty(), "without a position there are no tensors");
    return false;
  }
  require(read.position()->epoch >= 0 && read.position()->step >= 0, "a position is a place");
  require(record.resumed == 1, "a run that goes on says so");
  return true;
}

std::vector<std::string> checkpoint_seeds() {
  const fs::path file = scratch().folder() / "seed.safetensors";
  results::RunRecord record = this_run();
  record.epochs = {{.epoch = 0, .loss = 1.5, .learning_rate = 0.1, .steps = 4, .images = 16}};
  engine::NoProgress progress;
  engine::RunCheckpoint writer({file, 0.0}, record, progress);
  writer.set_running_cost([] {
    results::PhaseCost cost;
    cost.phase = "train";
    cost.seconds = 2.0;
    return cost;
  });
  writer.save_training({.epoch = 1, .step = 2, .images = 8, .loss_sum = 3.0},
                       {{"shared/prompts", at::arange(8).to(at::kFloat).view({2, 4})}});
  return {base::read_text_file(file)};
}

bool adapters(Bytes bytes) {
  const fs::path file = scratch().write("adapters.safetensors", bytes);
  return expect_value_or_error([&] {
    const engine::StoredAdapters stored = engine::read_adapters(file);
    for (const engine::StoredTask& task : stored.tasks)
      for (const std::size_t adapter : task.adapters)
        require(adapter < stored.adapters.size(), "tasks use adapters that are there");
  });
}

std::vector<std::string> adapters_seeds() {
  engine::StoredAdapters stored;
  stored.facts = {.identity = std::string(64, 'a'),
                  .method = "coop",
                  .plugin = "coop",
                  .plugin_version = "1",
                  .options = {{"n-ctx", "2"}},
                  .sharing = "joint",
                  .seed = 1,
                  .text_template = "a photo of a {}.",
                  .precision = "fp32",
                  .backbone = "tiny",
                  .backbone_weights = std::string(64, 'b'),
                  .backbone_settings = std::string(64, 'c'),
                  .licence = "a note"};
  stored.tasks = {{"line", {"bed", "cup"}, {0}}, {"emoji", {"cup"}, {0}}};
  engine::StoredAdapter adapter;
  const at::Tensor prompts = at::arange(32).to(at::kFloat).view({2, 16});
  adapter.parameters = {{"prompts", prompts}};
  sdk::BackboneChanges changes;
  changes.vision.prompts = {{.layer = 1, .tokens = prompts}};
  adapter.changes = {changes};
  stored.adapters = {adapter};
  const fs::path file = scratch().folder() / "seed-adapters.safetensors";
  engine::write_adapters(stored, file);
  return {base::read_text_file(file)};
}

bool request(Bytes bytes) {
  return expect_value_or_error([&] {
    const study::WorkerRequest read = study::parse_worker_request(std::string(text_of(bytes)));
    require(
        study::to_json(study::parse_worker_request(study::to_json(read))) == study::to_json(read),
        "a request is read back");
  });
}

std::vector<std::string> request_seeds() {
  study::WorkerRequest request;
  request.job.spec.study = "demo";
  request.job.spec.label = "row";
  request.job.spec.method = "coop";
  request.job.identity = {std::string(64, 'a'), {{"a", "1"}}};
  request.store = "/results/demo.sqlite";
  request.parent = 42;
  const std::string plain = study::to_json(request);
  request.detached = study::DetachedRun{"/checkpoints", "/features"};
  return {plain, study::to_json(request)};
}

}  // namespace

const std::vector<Target>& run_targets() {
  static const std::vector<Target> all = {{"checkpoint", checkpoint, checkpoint_seeds, 500},
                                          {"adapters", adapters, adapters_seeds, 500},
                                          {"request", request, request_seeds, 1000}};
  return all;
}

}  // namespace petlab::fuzz
