#include "cluster_command.hpp"
#include "command.hpp"
#include "petlab/base/error.hpp"

#include <iostream>
#include <set>

namespace petlab::app {

int run_cancel(const Arguments& arguments) {
  Usage usage{
      "cancel",
      "[STUDY] [--store FILE] [options]",
      "Cancels the jobs of Slurm that were submitted for a store; with STUDY those of its runs\n"
      "alone (a job that computes runs of other studies too is cancelled with them). A run that "
      "is\n"
      "at work writes a checkpoint first, from which it goes on when it is submitted again. Exit\n"
      "code: 8 when Slurm cannot be reached.",
      po::options_description("Options"),
      {"STUDY"},
      "  petlab cancel --store /shared/my.sqlite\n"
      "  petlab cancel my.ini --store /shared/my.sqlite\n"};
  usage.positional_optional = true;
  add_study_options(usage.options);
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (!options->has("STUDY") && !options->has("store"))
    base::throw_config_error("petlab cancel needs STUDY or --store FILE; see petlab cancel --help");
  std::filesystem::path store;
  std::set<std::string> runs;
  if (options->has("STUDY")) {
    const auto plugins = load_plugins(*options);
    const StudyStages stages({read_study(study_files(*options), *options)}, *options, *plugins);
    const std::vector<PreparedStudy> studies = stages.all().studies;
    store = studies.at(0).store;
    for (const study::Job& job : all_jobs(studies))
      runs.insert(job.identity.hash);
  } else {
    store = options->text("store");
  }
  std::set<std::string> jobs;
  const study::SubmitLock lock(store);
  for (const auto& [run, queued] : study::queued_runs(store, study::slurm::queue()))
    if (queued.state >= study::QueuedRun::State::queued &&
        (!options->has("STUDY") || runs.count(run) > 0))
      jobs.insert(queued.job);
  study::slurm::cancel({jobs.begin(), jobs.end()});
  std::cout << jobs.size() << (jobs.size() == 1 ? " job" : " jobs") << " cancelled\n";
  return kOk;
}

}  // namespace petlab::app
