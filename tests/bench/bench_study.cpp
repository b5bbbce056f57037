// Writes what the Python peers need to do the runs of a study that petlab does:
//
//   bench_study PROTOCOL CACHE OUT
//
// OUT/data.safetensors: training and test pictures of each task with their labels, for the first
// seed. OUT/rows.json: tasks and rows with their training. OUT/ROW.safetensors: the parameters a
// row starts from and its tokens. Rows whose grouping needs gradients are left out.
#include "petlab/base/error.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/safetensors.hpp"
#include "petlab/datasets/image_cache.hpp"
#include "petlab/engine/dataset_choice.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/sharing.hpp"
#include "petlab/study/plan.hpp"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace petlab::bench {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

void add_pictures(const engine::LabelledImages& images, const std::string& name,
                  std::vector<sdk::NamedTensor>& tensors) {
  tensors.push_back(
      {name + ".pixels", images.images.index_select(0, at::tensor(images.rows, at::kLong))});
  tensors.push_back({name + ".labels", at::tensor(images.labels, at::kLong)});
}

engine::RunInputs write_data(const study::Protocol& protocol, const fs::path& cache,
                             const std::shared_ptr<clip::Backbone>& backbone, const fs::path& out) {
  const datasets::Dataset dataset = engine::open_study_dataset(protocol.dataset);
  const datasets::Split split =
      engine::study_split(dataset, protocol.dataset, protocol.seeds.front());
  {
    const auto size = static_cast<int>(backbone->preprocessing().image_size);
    const datasets::ImageCache built(dataset, size, {.directory = cache});
  }
  engine::RunInputs inputs;
  inputs.backbone = backbone;
  const engine::SplitManifest manifest =
      engine::write_split_manifest(dataset, split, cache / "splits");
  engine::read_split_manifest(inputs, manifest, cache, 1);
  std::vector<sdk::NamedTensor> tensors;
  const std::vector<engine::LabelledImages> test = inputs.load_test();
  for (std::size_t t = 0; t < inputs.tasks.size(); ++t) {
    add_pictures(inputs.tasks[t].train, "train." + std::to_string(t), tensors);
    add_pictures(test[t], "test." + std::to_string(t), tensors);
  }
  clip::write_safetensors(tensors, out / "data.safetensors");
  return inputs;
}

/// Groups of as many tasks as a study's random ones have; all in one where it says so.
sdk::Partition partition_of(const engine::RunSpec& spec, std::size_t n_tasks) {
  sdk::Partition all(1);
  for (std::size_t t = 0; t < n_tasks; ++t)
    all[0].push_back(static_cast<std::int64_t>(t));
  if (!spec.grouping || spec.grouping->strategy == "all-in-one" || n_tasks < 2) return all;
  const auto half = all[0].begin() + static_cast<std::ptrdiff_t>(n_tasks / 2);
  return {{all[0].begin(), half}, {half, all[0].end()}};
}

Json write_row(const engine::RunSpec& spec, const study::PluginRegistry& plugins,
               const clip::Backbone& backbone, const std::vector<engine::Task>& tasks,
               const fs::path& out) {
  const sdk::MethodEntry& entry = *plugins.method(spec.method).entry;
  const auto method = entry.make(
      {{entry.options, entry.option_count}, spec.method_options, "method '" + spec.method + "'"});
  std::vector<std::string> names;
  for (const engine::Task& task : tasks)
    names.push_back(task.name);
  engine::FailureContext where;
  const engine::Adapters adapters = engine::make_adapters(
      *method, spec.method, {backbone, tasks, [](std::size_t) { return sdk::LabelledFeatures(); }},
      engine::arrange(spec.sharing, names, partition_of(spec, tasks.size())), spec.seed, where);
  std::vector<sdk::NamedTensor> tensors;
  // Full fine-tuning starts from the model itself.
  if (spec.method != "full-fine-tuning") {
    for (std::size_t i = 0; i < adapters.parameters.size(); ++i)
      for (const sdk::NamedTensor& one : adapters.parameters[i])
        tensors.push_back({std::to_string(i) + "." + one.name, one.value.detach()});
  }
  const std::string text_template = method->text_template();
  std::vector<std::string> texts;
  for (const std::string& name : tasks.front().classes) {
    std::string text = text_template;
    texts.push_back(text.replace(text.find("{}"), 2, name));
  }
  const auto tokens = backbone.tokenizer().encode_batch(texts, backbone.shape().context_length);
  tensors.push_back({"tokens.ids", tokens.ids});
  tensors.push_back({"tokens.eot", tokens.eot});
  const fs::path start = out / (spec.label + ".safetensors");
  clip::write_safetensors(tensors, start);
  return {{"name", spec.label},
          {"method", spec.method},
          {"sharing", engine::to_string(spec.sharing)},
          {"start", start.string()},
          {"of_task", adapters.arrangement.of_task},
          {"epochs", spec.training.epochs},
          {"batch", spec.training.batch},
          {"optimizer", to_string(spec.training.optimizer)},
          {"learning_rate", spec.training.learning_rate},
          {"weight_decay", spec.training.weight_decay},
          {"momentum", spec.training.momentum},
          {"precision", to_string(spec.training.precision)}};
}

void write_all(const fs::path& file, const fs::path& cache, const fs::path& out) {
  const study::Protocol protocol = study::read_protocol(file);
  const study::PluginRegistry plugins(
      {.folders = {fs::path(PETLAB_BINARY_DIR) / "lib" / "petlab"}, .files = {}});
  const auto backbone = clip::Backbone::load(protocol.backbone);
  fs::create_directories(out);
  const engine::RunInputs inputs = write_data(protocol, cache, backbone, out);
  Json rows = Json::array();
  for (const engine::RunSpec& spec : study::expand(protocol, plugins, {.cache_dir = cache})) {
    if (spec.seed != protocol.seeds.front()) continue;
    if (spec.grouping && spec.grouping->strategy == "gradient") continue;
    rows.push_back(write_row(spec, plugins, *backbone, inputs.tasks, out));
  }
  Json tasks = Json::array();
  for (const engine::Task& task : inputs.tasks)
    tasks.push_back(task.name);
  std::ofstream(out / "rows.json") << Json{
      {"model", protocol.backbone.string()},
      {"tasks", tasks},
      {"data", (out / "data.safetensors").string()},
      {"rows", rows}}.dump(1);
}

}  // namespace
}  // namespace petlab::bench

int main(int argc, char** argv) {
  try {
    if (argc != 4)
      throw petlab::base::Error(petlab::base::ErrorKind::config,
                                "usage: bench_study PROTOCOL CACHE OUT");
    petlab::bench::write_all(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_study: " << error.what() << "\n";
    return 1;
  }
}
