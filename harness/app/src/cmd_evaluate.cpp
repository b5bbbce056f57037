#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/engine/stored_adapters.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/train_size_label.hpp"
#include "petlab/study/evaluation.hpp"
#include "petlab/study/train_sizes.hpp"
#include "petlab/study/transfer.hpp"
#include "progress_view.hpp"
#include "stored_run.hpp"
#include "study_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <utility>
#include <vector>

namespace petlab::app {
namespace {

void print_result(const study::Evaluation& evaluation, const results::RunRecord& parent) {
  const results::RunRecord& run = evaluation.record;
  std::cout << "run " << base::short_hash(run.identity.hash)
            << (evaluation.was_there ? ", which the store had already" : "") << ": "
            << parent.method << ", " << parent.sharing << ", seed " << parent.seed
            << ", adapters of run " << base::short_hash(parent.identity.hash) << "\n";
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

/// Settings of [dataset] that say which images train.
constexpr const char* kParting[] = {"dataset.split",           "dataset.train-fraction",
                                    "dataset.train-shots",     "dataset.largest-train-size",
                                    "dataset.split-list",      "dataset.development-fraction",
                                    "dataset.development-seed"};

/// The protocol of one run: of a study with several training sizes that of its size. All sizes
/// leave the same test images, which is what counts for a row without one.
study::Protocol of_run(study::Protocol protocol, const PlannedRun& planned) {
  const std::vector<study::TrainSize> sizes = study::train_sizes(protocol.dataset);
  if (sizes.size() == 1) return protocol;
  const std::string size = results::parse_train_size_label(planned.run.row_label).size;
  const auto own = std::find_if(sizes.begin(), sizes.end(),
                                [&](const study::TrainSize& one) { return one.text == size; });
  protocol.dataset = own == sizes.end() ? sizes.back().dataset : own->dataset;
  return protocol;
}

/// Refuses options of studies, several training sizes, and another split of the run's own images:
/// those that it leaves may have trained the run.
void check_asked(const study::Protocol& asked, const study::Protocol& own, const Parsed& options) {
  for (const char* of_studies : {"leave-out", "cross-domain"})
    if (options.has(of_studies))
      base::throw_config_error(std::string("--") + of_studies +
                               " is for studies; petlab evaluate tests the domains that --domains "
                               "names, with the adapters of --as");
  if (study::train_sizes(asked.dataset).size() > 1)
    base::throw_config_error(
        "petlab evaluate tests on one split: expected one value of --train-fraction or "
        "--train-shots");
  if (!study::is_own_data_set(own.dataset, {own.name, asked.dataset})) return;
  for (const char* key : kParting) {
    const engine::SettingEntry& entry = *engine::study_setting(key);
    if (entry.text(asked) != entry.text(own))
      base::throw_config_error("'" + std::string(entry.name) + "' is '" + entry.text(asked) +
                               "', but the run was trained with '" + entry.text(own) +
                               "': of its own data set it is tested on the images that its split "
                               "leaves, others may have trained it");
  }
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
    base::throw_config_error("run " + base::short_hash(run.identity.hash) +
                             " is an evaluation itself; name the run that trained, " +
                             base::short_hash(*run.parent));
  const PlannedRun planned = find_plan(store, run);
  study::Protocol protocol = protocol_of(planned, *options);
  if (!options->has("train-fraction") && !options->has("train-shots"))
    protocol = of_run(std::move(protocol), planned);
  check_asked(protocol, of_run(stored_protocol(planned.study.protocol, {}), planned), *options);
  ImageCounter progress(isatty(STDERR_FILENO) != 0);
  const engine::StoredAdapters stored = study::load_adapters(store.path(), run);
  print_result(study::evaluate_run(protocol, run, stored, store, {options->text("as"), false},
                                   data_execution(*options, run), progress),
               run);
  return kOk;
}

}  // namespace petlab::app
