#include "adapter_export.hpp"
#include "command.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/engine/stored_adapters.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/export.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/evaluation.hpp"
#include "stored_run.hpp"
#include "study_command.hpp"
#include "tracker_export.hpp"

#include <algorithm>
#include <iostream>
#include <iterator>

namespace petlab::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTrackers[] = {"tensorboard", "mlflow"};

void export_to_tracker(const Parsed& options, const char* tracker) {
  TrackerExport asked{.tracker = tracker,
                      .store = options.text("store"),
                      .place = options.text(tracker),
                      .study = options.has("study") ? options.text("study") : "",
                      .run = ""};
  if (options.has("RUN")) {
    const results::RunStore store(asked.store, results::OpenMode::read_only);
    asked.run = find_run(store, options.text("RUN"), "are exported").identity.hash;
  }
  std::cout << export_to_tracker(asked) << std::flush;
}

void export_views(const Parsed& options) {
  std::optional<std::string> study;
  if (options.has("study")) study = options.text("study");
  for (const auto& file : results::export_views(options.text("store"), options.text("out"), study))
    std::cout << "wrote " << base::printable(file) << "\n";
}

void export_run(const Parsed& options) {
  const fs::path out = options.text("out");
  const results::RunStore store(options.text("store"), results::OpenMode::read_only);
  const results::RunRecord run = find_run(store, options.text("RUN"), "have adapters");
  const engine::StoredAdapters stored = study::load_adapters(store.path(), run);
  const study::Protocol protocol = protocol_of(find_plan(store, run), options);
  const auto backbone = clip::Backbone::load(
      protocol.backbone, c10::kCPU, {.allow_unknown_weights = protocol.allow_unknown_weights});
  if (backbone->weight_hash() != stored.facts.backbone_weights)
    base::throw_config_error("the backbone " + protocol.backbone.string() +
                             " has other weights than the run's, '" + stored.facts.backbone +
                             "': name the one that it ran on with --backbone");
  std::error_code error;
  fs::create_directories(out, error);
  const fs::path copy = out / "adapters.safetensors";
  fs::copy_file(results::checked_adapter_file(store.path(), run), copy,
                fs::copy_options::overwrite_existing, error);
  if (error) base::throw_data_error("cannot write " + copy.string() + ": " + error.message());
  std::cout << "wrote " << base::printable(copy) << "\n";
  std::vector<std::string> remarks;
  for (const fs::path& folder : export_adapters(stored, *backbone, protocol.backbone, out, remarks))
    std::cout << "wrote " << base::printable(folder) << "\n";
  for (const std::string& remark : remarks)
    std::cout << "Note: " << remark << "\n";
}

}  // namespace

int run_export(const Arguments& arguments) {
  Usage usage{
      "export",
      "[RUN] --store FILE --out FOLDER [options]",
      "Without RUN: writes each view of the store (accuracy, cost, evaluations, failures, groups,\n"
      "parameters, ranking, searches) as a CSV file (RFC 4180). results/README.md says what their\n"
      "columns are. With RUN, the beginning of a run's identity: writes its adapters, as petlab\n"
      "keeps them (adapters.safetensors) and, where there is a layout, for PEFT (LoRA, (IA)^3:\n"
      "PeftModel.from_pretrained) and for transformers (full fine-tuning: a whole CLIP; copies of\n"
      "some weights: these, for load_state_dict; prompts: with a loader in Python beside them).\n"
      "--tensorboard and --mlflow write finished runs, or RUN alone, for these programs.",
      po::options_description("Options"),
      {"RUN"},
      "  petlab export --store results/demo.sqlite --out results/csv\n"
      "  petlab export --store results/all.sqlite --out results/csv --study demo\n"
      "  petlab export 1bc4700f8e0b --store results/demo.sqlite --out lora\n"
      "  petlab export --store results/demo.sqlite --tensorboard results/events\n"};
  usage.positional_optional = true;
  usage.options.add_options()("out", text_value(),
                              "folder for the files, made where there is none")(
      "study", text_value(), "without RUN: only this study's lines")(
      "tensorboard", text_value(), "folder for TensorBoard's event files, one below for each run")(
      "mlflow", text_value(), "folder for a file store of MLflow, or a tracking URI");
  add_data_options(usage.options);
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (!options->has("store")) base::throw_config_error("petlab export needs --store FILE");
  const bool is_for_trackers = std::any_of(std::begin(kTrackers), std::end(kTrackers),
                                           [&](const char* name) { return options->has(name); });
  if (!options->has("out") && !is_for_trackers)
    base::throw_config_error(
        "petlab export needs --out FOLDER, --tensorboard FOLDER or --mlflow "
        "FOLDER");
  if (options->has("out")) {
    if (options->has("RUN"))
      export_run(*options);
    else
      export_views(*options);
  }
  for (const char* name : kTrackers)
    if (options->has(name)) export_to_tracker(*options, name);
  return kOk;
}

}  // namespace petlab::app
