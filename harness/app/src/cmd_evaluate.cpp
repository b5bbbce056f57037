#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/stored_adapters.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/evaluation.hpp"
#include "progress_view.hpp"
#include "stored_run.hpp"
#include "study_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <iostream>

namespace petlab::app {
namespace {

void print_result(const study::Evaluation& evaluation, const results::RunRecord& parent) {
  const results::RunRecord& run = evaluation.record;
  std::cout << "run " << run.identity.hash.substr(0, 12)
            << (evaluation.was_there ? ", which the store had already" : "") << ": "
            << parent.method << ", " << parent.sharing << ", seed " << parent.seed
            << ", adapters of run " << parent.identity.hash.substr(0, 12) << "\n";
  std::size_t width = 4;
  for (const results::TaskResult& task : run.tasks)
    width = std::max(width, task.task.size());
  const auto line = [&](const std::string& name, double accuracy, const std::string& images) {
    char percent[32];
    std::snprintf(percent, sizeof percent, "%6.2f %%", 100.0 * accuracy);
    std::cout << "  " << std::left << std::setw(static_cast<int>(width)) << base::escaped(name)
              << "  " << percent << images << "\n";
  };
  for (const results::TaskResult& task : run.tasks)
    line(task.task, task.accuracy(),
         "  of " + grouped_digits(task.n_test) + " images, loss " +
             std::to_string(task.loss).substr(0, 6));
  line("mean", run.mean_accuracy(), "");
}

}  // namespace

int run_evaluate(const Arguments& arguments) {
  Usage usage{
      "evaluate",
      "RUN --store FILE [--dataset NAME] [--domains a,b] [options]",
      "Tests the adapters of a finished run on other images. RUN is the beginning of its\n"
      "identity. What is not said is as the run's study had it: data set, domains, the split by\n"
      "the run's seed, of which the test images count. The result is a run of its own in the\n"
      "store, of kind evaluation, that names RUN as its parent (view evaluations); one that is\n"
      "there is not computed again. On the run's own test images it gives the run's\n"
      "predictions to the last bit.\n"
      "A domain is classified with the run's adapters for the task of that name; one that the\n"
      "run does not know with those of --as TASK, or with the only ones there are (joint).\n"
      "Adapters that belong to classes (class heads, caches) need the same classes.",
      po::options_description("Options"),
      {"RUN"},
      "  petlab evaluate 1bc4700f8e0b --store results/demo.sqlite\n"
      "  petlab evaluate 1bc4700f8e0b --store results/demo.sqlite --domains emoji\n"
      "  petlab evaluate 1bc4 --store results/demo.sqlite --dataset folder \\\n"
      "      --dataset-root ~/pictures --as line\n"};
  add_data_options(usage.options);
  usage.options.add_options()("as", text_value()->default_value(""),
                              "task of the run as which domains are classified that it does not "
                              "know");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (!options->has("store")) base::throw_config_error("petlab evaluate needs --store FILE");
  results::RunStore store(options->text("store"), results::OpenMode::read_write);
  const results::RunRecord run = find_run(store, options->text("RUN"), "can be evaluated");
  if (run.parent)
    base::throw_config_error("run " + run.identity.hash.substr(0, 12) +
                             " is an evaluation itself; name the run that trained, " +
                             run.parent->substr(0, 12));
  const study::Protocol protocol = protocol_of(find_plan(store, run), *options);
  ImageCounter progress(isatty(STDERR_FILENO) != 0);
  const engine::StoredAdapters stored = study::load_adapters(store.path(), run);
  print_result(study::evaluate_run(protocol, run, stored, store, {options->text("as"), false},
                                   data_execution(*options, run), progress),
               run);
  return kOk;
}

}  // namespace petlab::app
