#include "command.hpp"
#include "datasets_command.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/model_hub.hpp"
#include "petlab/study/new_study.hpp"
#include "petlab/study/plan.hpp"
#include "study_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace petlab::app {
namespace {

namespace fs = std::filesystem;

/// What the user types behind the question; asked again until it is something.
std::string ask(const std::string& question) {
  std::string answer;
  while (answer.empty()) {
    std::cerr << question << ": " << std::flush;
    if (!std::getline(std::cin, answer)) base::throw_config_error("nothing was answered");
  }
  const char* home = std::getenv("HOME");
  if (answer.starts_with("~/") && home != nullptr) answer = home + answer.substr(1);
  return answer;
}

bool has_argument(const Arguments& arguments, const std::string& option) {
  for (const std::string& argument : arguments)
    if (argument == option || argument.starts_with(option + "=")) return true;
  return false;
}

/// The arguments with what was asked for, where somebody sits at a terminal.
Arguments with_answers(Arguments arguments) {
  if (isatty(STDIN_FILENO) == 0 || has_argument(arguments, "--help") ||
      has_argument(arguments, "-h") || arguments == Arguments{kUsageAsJson})
    return arguments;
  if (arguments.empty() || arguments.front().starts_with("-"))
    arguments.insert(arguments.begin(),
                     ask("Folder with your images (domain/class/image, or class/image)"));
  if (!has_argument(arguments, "--backbone") && std::getenv("PETLAB_BACKBONE") == nullptr) {
    arguments.emplace_back("--backbone");
    arguments.push_back(ask("Folder of a CLIP (Hugging Face, OpenCLIP) or a *.pt of OpenAI's"));
  }
  return arguments;
}

study::NewStudy new_study(const Parsed& options, const datasets::Dataset& dataset) {
  study::NewStudy study;
  std::size_t images = 0;
  for (const datasets::Domain& domain : dataset.domains)
    images += domain.samples.size();
  study.domains = dataset.domains.size();
  study.description = std::to_string(study.domains) +
                      (study.domains == 1 ? " domain, " : " domains, ") +
                      std::to_string(dataset.classes.size()) + " classes, " +
                      grouped_digits(static_cast<std::int64_t>(images)) + " images";
  study.dataset = {{"name", dataset.name}, {"root", fs::absolute(options.text("ROOT")).string()}};
  for (const char* key : {"domains", "lists", "class-names", "other-formats"})
    if (options.has(key)) {
      const bool is_path = std::string(key) == "lists" || std::string(key) == "class-names";
      study.dataset.emplace_back(
          key, is_path ? fs::absolute(options.text(key)).string() : options.text(key));
    }
  study.backbone = {{"dir", clip::model_path(options.text("backbone")).string()}};
  if (options.get<bool>("allow-unknown-weights"))
    study.backbone.emplace_back("allow-unknown-weights", "yes");
  for (const std::string& method : split_list(options.text("methods"))) {
    if (std::find(study.methods.begin(), study.methods.end(), method) != study.methods.end())
      base::throw_config_error("--methods names '" + base::escaped(method) + "' twice");
    study.methods.push_back(method);
  }
  return study;
}

}  // namespace

int run_init(const Arguments& arguments) {
  Usage usage{
      "init",
      "ROOT --backbone DIR [options]",
      "Writes a commented study file for your images and your CLIP, after it has looked at\n"
      "both. ROOT is a folder of images (domain/class/image or class/image), a CSV file or\n"
      "a known data set (petlab datasets list). At a terminal, petlab asks for what is not\n"
      "given. Nothing is computed; petlab run FILE does that.",
      po::options_description("Options"),
      {"ROOT"},
      "  petlab init\n"
      "  petlab init ~/images --backbone ~/clip-vit-base-patch16 --out my.ini\n"
      "  petlab init ~/OfficeHome --backbone ~/clip --methods zero-shot,coop,lora\n"};
  usage.options.add_options()("backbone", text_value()->required(),
                              "CLIP: a folder or a *.pt file")(
      "methods", text_value()->default_value("zero-shot,coop,vpt-deep,mmap"),
      "methods, a row of the table each; petlab plugins lists them")(
      "out", text_value()->default_value("study.ini"), "the file to write")(
      "allow-unknown-weights", po::bool_switch(),
      "load a .pt that is not an official OpenAI checkpoint")(
      "plugin-dir", texts_value(), "folder with plugins, searched first; may be repeated");
  add_dataset_options(usage.options);
  const auto options = parse(usage, with_answers(arguments));
  if (!options) return kOk;

  const fs::path file = options->text("out");
  if (fs::exists(file))
    base::throw_config_error("--out: " + file.string() + " exists already and is left as it is");
  const datasets::Dataset dataset = open_root(*options, /*fingerprint=*/false);
  const auto backbone =
      clip::Backbone::load(options->text("backbone"), c10::kCPU,
                           {.allow_unknown_weights = options->get<bool>("allow-unknown-weights")});
  const study::NewStudy study = new_study(*options, dataset);
  const auto plugins = load_plugins(*options);
  base::write_file(file, study::new_study_text(study));
  try {  // What the file says is what petlab run reads.
    (void)study::expand(study::read_protocol(file), *plugins, study::ExecutionOptions{});
  } catch (...) {
    fs::remove(file);
    throw;
  }
  std::cout << "wrote " << file.string() << ": " << study.description << "; CLIP with "
            << grouped_digits(backbone->parameter_count()) << " parameters\n"
            << "Next:\n  petlab datasets check " << options->text("ROOT") << "\n  petlab plan "
            << file.string() << "\n  petlab run " << file.string() << "\n";
  return kOk;
}

}  // namespace petlab::app
