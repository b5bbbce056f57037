#include "clip_runs.hpp"

#include "clip_features.hpp"
#include "json_output.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/engine/precision.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/stored_model.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/evaluation.hpp"
#include "stored_run.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>

namespace petlab::app {
namespace {

struct Answer {
  std::string name;  ///< of the class
  double probability = 0.0;
};

/// What a run says of the pictures.
struct RunAnswers {
  results::RunRecord run;
  std::string task;
  std::vector<std::vector<Answer>> of_picture;  ///< the most probable first
};

using Backbones = std::map<std::string, std::shared_ptr<const clip::Backbone>>;

/// Runs of one study mostly share a backbone: it is loaded once.
std::shared_ptr<const clip::Backbone> backbone_of(const results::RunStore& store,
                                                  const results::RunRecord& run,
                                                  const Parsed& options, Backbones& loaded) {
  const std::string place = options.has("backbone")
                                ? options.text("backbone")
                                : protocol_of(find_plan(store, run), options).backbone.string();
  auto& backbone = loaded[place];
  if (backbone == nullptr)
    backbone =
        clip::Backbone::load(place, engine::parse_device(options.text("device")),
                             {.allow_unknown_weights = options.get<bool>("allow-unknown-weights")});
  return backbone;
}

/// The task as which the run classifies: the named one, or any where all of them are alike.
engine::Task task_of(const engine::StoredAdapters& stored, const Parsed& options) {
  const auto& tasks = stored.tasks;
  const std::vector<std::string> names = engine::names_of(tasks);
  const std::string run = "run " + base::short_hash(stored.facts.identity);
  if (options.has("task")) {
    const auto found = std::find(names.begin(), names.end(), options.text("task"));
    if (found == names.end())
      base::throw_config_error(run + " has no task '" + options.text("task") + "'" +
                               base::did_you_mean(options.text("task"), names) + "; it has " +
                               base::joined(names));
    const engine::StoredTask& task = tasks[static_cast<std::size_t>(found - names.begin())];
    return {task.name, task.classes, {}};
  }
  const bool alike =
      std::all_of(tasks.begin(), tasks.end(),
                  [&](const engine::StoredTask& task) {
                    return task.adapters == tasks[0].adapters && task.classes == tasks[0].classes;
                  }) &&
      std::all_of(stored.adapters.begin(), stored.adapters.end(),
                  [](const engine::StoredAdapter& adapter) { return adapter.changes.size() == 1; });
  if (!alike)
    base::throw_config_error(run + " treats its tasks (" + base::joined(names) +
                             ") each in its own way; say with --task as which of them the images "
                             "are classified");
  return {tasks[0].name, tasks[0].classes, {}};
}

std::vector<Answer> ranked(const at::Tensor& logits, const std::vector<std::string>& classes) {
  const at::Tensor probabilities = at::softmax(logits.to(at::kCPU, at::kDouble), 0).contiguous();
  const double* values = probabilities.const_data_ptr<double>();
  std::vector<Answer> answers;
  for (std::size_t c = 0; c < classes.size(); ++c)
    answers.push_back({classes[c], values[c]});
  std::stable_sort(answers.begin(), answers.end(),
                   [](const Answer& a, const Answer& b) { return a.probability > b.probability; });
  return answers;
}

RunAnswers answers_of(const results::RunRecord& run, const engine::StoredAdapters& stored,
                      const std::shared_ptr<const clip::Backbone>& backbone, engine::Task task,
                      const std::vector<std::string>& pictures) {
  const c10::NoGradGuard no_grad;
  const engine::AutocastScope autocast(backbone->device(), stored.facts.precision == "bfloat16"
                                                               ? engine::Precision::bf16
                                                               : engine::Precision::fp32);
  RunAnswers result{run, task.name, {}};
  engine::StoredModel model(backbone, stored, {std::move(task)});
  const auto prepared = model.adapted().prepare({0});
  visit_pictures(*backbone, pictures, [&](std::size_t first, const at::Tensor& pixels) {
    const engine::TaskImages input{.task = 0, .pixels = pixels, .features = {}};
    const at::Tensor logits = model.adapted().logits(prepared, {input}).front();
    for (std::int64_t row = 0; row < logits.size(0); ++row) {
      require_finite_scores(logits[row], pictures[first + static_cast<std::size_t>(row)]);
      result.of_picture.push_back(ranked(logits[row], model.tasks().front().classes));
    }
  });
  return result;
}

void print_text(const std::vector<std::string>& pictures, const std::vector<RunAnswers>& runs,
                std::size_t top) {
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    std::printf("%s\n", base::printable(pictures[i]).c_str());
    for (const RunAnswers& one : runs) {
      std::printf("  run %s: %s, %s, seed %llu, task %s\n",
                  base::short_hash(one.run.identity.hash).c_str(), one.run.method.c_str(),
                  one.run.sharing.c_str(), static_cast<unsigned long long>(one.run.seed),
                  base::escaped(one.task).c_str());
      for (std::size_t rank = 0; rank < std::min(top, one.of_picture[i].size()); ++rank)
        std::printf("    %6.2f %%  %s\n", 100.0 * one.of_picture[i][rank].probability,
                    base::escaped(one.of_picture[i][rank].name).c_str());
    }
  }
}

std::string csv_field(const std::string& text) {
  return datasets::csv_field(base::spreadsheet_text(text));
}

void print_csv(const std::vector<std::string>& pictures, const std::vector<RunAnswers>& runs,
               std::size_t top) {
  std::cout << "picture,run,method,sharing,seed,task,rank,class,probability\r\n";
  for (std::size_t i = 0; i < pictures.size(); ++i)
    for (const RunAnswers& one : runs)
      for (std::size_t rank = 0; rank < std::min(top, one.of_picture[i].size()); ++rank)
        std::cout << csv_field(pictures[i]) << ',' << one.run.identity.hash << ','
                  << csv_field(one.run.method) << ',' << csv_field(one.run.sharing) << ','
                  << one.run.seed << ',' << csv_field(one.task) << ',' << rank + 1 << ','
                  << csv_field(one.of_picture[i][rank].name) << ','
                  << base::number_text(one.of_picture[i][rank].probability) << "\r\n";
}

void print_json(const std::vector<std::string>& pictures, const std::vector<RunAnswers>& runs,
                std::size_t top) {
  Json all = Json::array();
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    Json of_runs = Json::array();
    for (const RunAnswers& one : runs) {
      Json classes = Json::array();
      for (std::size_t rank = 0; rank < std::min(top, one.of_picture[i].size()); ++rank)
        classes.push_back({{"name", one.of_picture[i][rank].name},
                           {"probability", one.of_picture[i][rank].probability}});
      of_runs.push_back({{"run", one.run.identity.hash},
                         {"method", one.run.method},
                         {"sharing", one.run.sharing},
                         {"seed", one.run.seed},
                         {"task", one.task},
                         {"classes", std::move(classes)}});
    }
    all.push_back({{"picture", pictures[i]}, {"runs", std::move(of_runs)}});
  }
  app::print_json(all);
}

}  // namespace

int classify_with_runs(const Parsed& options, const std::vector<std::string>& pictures,
                       const std::vector<std::string>& labels) {
  const std::map<std::string, decltype(&print_text)> formats = {
      {"text", print_text}, {"csv", print_csv}, {"json", print_json}};
  const auto format = formats.find(options.text("format"));
  if (format == formats.end())
    base::throw_config_error("--format is '" + options.text("format") +
                             "', expected text, csv or json");
  if (!options.has("store"))
    base::throw_config_error("petlab clip classify --run needs --store FILE");
  const std::filesystem::path file = options.text("store");
  const results::RunStore store(file, results::OpenMode::read_only);
  Backbones backbones;
  std::vector<RunAnswers> runs;
  for (const std::string& name : options.get<std::vector<std::string>>("run")) {
    const results::RunRecord run = find_run(store, name, "can classify");
    const engine::StoredAdapters stored = study::load_adapters(file, run);
    engine::Task task = task_of(stored, options);
    if (!labels.empty()) task.classes = labels;
    runs.push_back(answers_of(run, stored, backbone_of(store, run, options, backbones),
                              std::move(task), pictures));
  }
  format->second(pictures, runs, static_cast<std::size_t>(options.get<int>("top")));
  return kOk;
}

}  // namespace petlab::app
