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

#include <iostream>

namespace petlab::app {
namespace {

namespace fs = std::filesystem;

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
      "PeftModel.from_pretrained) and for transformers (full fine-tuning: a whole CLIP).",
      po::options_description("Options"),
      {"RUN"},
      "  petlab export --store results/demo.sqlite --out results/csv\n"
      "  petlab export --store results/all.sqlite --out results/csv --study demo\n"
      "  petlab export 1bc4700f8e0b --store results/demo.sqlite --out lora\n"};
  usage.positional_optional = true;
  usage.options.add_options()("out", text_value(),
                              "folder for the files, made where there is none")(
      "study", text_value(), "without RUN: only this study's lines");
  add_data_options(usage.options);
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  for (const char* needed : {"store", "out"})
    if (!options->has(needed))
      base::throw_config_error(std::string("petlab export needs --") + needed +
                               (std::string(needed) == "store" ? " FILE" : " FOLDER"));
  if (options->has("RUN"))
    export_run(*options);
  else
    export_views(*options);
  return kOk;
}

}  // namespace petlab::app
