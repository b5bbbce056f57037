#include "command.hpp"
#include "petlab/core/run_inputs.hpp"
#include "petlab/core/study_runner.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/sdk/error.hpp"
#include "places.hpp"
#include "progress_view.hpp"
#include "study_command.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <set>

namespace petlab::app {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

extern "C" void request_stop(int) {
  stop_requested = true;
}

void install_signal_handlers() {
  struct sigaction action{};
  action.sa_handler = request_stop;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

std::optional<std::chrono::seconds> run_timeout(const Parsed& options) {
  if (!options.has("run-timeout")) return std::nullopt;
  const int seconds = options.get<int>("run-timeout");
  if (seconds < 1)
    throw sdk::Error(sdk::ErrorKind::config, "--run-timeout is " + std::to_string(seconds) +
                                                 ", expected seconds, at least 1");
  return std::chrono::seconds(seconds);
}

/// The runs that the store does not hold yet, each once. Those that failed are tried again.
std::vector<core::Job> missing_jobs(const std::vector<PreparedStudy>& studies,
                                    const results::RunStore& store) {
  std::vector<core::Job> jobs;
  std::set<std::string> seen;
  for (const PreparedStudy& study : studies)
    for (const core::Job& job : study.wanted)
      if (seen.insert(job.identity.hash).second && !store.has_done(job.identity.hash))
        jobs.push_back(job);
  return jobs;
}

std::size_t count_runs(const std::vector<PreparedStudy>& studies) {
  std::set<std::string> runs;
  for (const PreparedStudy& study : studies)
    for (const core::Job& job : study.wanted)
      runs.insert(job.identity.hash);
  return runs.size();
}

}  // namespace

int run_study(const Arguments& arguments) {
  Usage usage{
      "run",
      "STUDY [options]",
      "Runs what a study is missing. STUDY is a protocol file (harness/protocols/README.md). "
      "Every\n"
      "run is a process of its own; a run that is in the store already is never repeated, one "
      "that\n"
      "failed is tried again. Options override the environment (PETLAB_EPOCHS=5 is --epochs 5),\n"
      "which overrides the file. Prints the study's table at the end. Exit code: 0 when all runs "
      "are\n"
      "done, 1 when one failed.",
      po::options_description("Options"),
      {"STUDY"},
      "  petlab run harness/protocols/demo.ini --store results/demo.sqlite\n"
      "  petlab run harness/protocols/demo.ini --rows coop-joint --seeds 1 --epochs 2\n"
      "  petlab run harness/protocols/demo.ini --dataset folder --dataset-root ~/pictures\n"
      "  petlab run my.ini --set method.coop.option.n_ctx=16 --workers 1 --threads 2\n"};
  add_study_options(usage.options);
  add_running_options(usage.options);
  usage.options.add_options()("no-table", po::bool_switch(),
                              "do not print the study's table at the end");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const PreparedStudy study = prepare_study(*options);
  const int code = run_missing({study}, *options);
  if (code != kInterrupted && !options->get<bool>("no-table")) {
    std::cout << "\n";
    print_study_table(study.store, study.protocol.name);
  }
  return code;
}

void add_running_options(po::options_description& options) {
  options.add_options()("run-timeout", po::value<int>(),
                        "seconds after which a run is ended and counts as failed");
}

int run_missing(const std::vector<PreparedStudy>& studies, const Parsed& options) {
  const auto timeout = run_timeout(options);
  install_signal_handlers();
  const PreparedStudy& first = studies.at(0);
  if (first.store.has_parent_path()) std::filesystem::create_directories(first.store.parent_path());
  std::vector<core::Job> jobs;
  {
    results::RunStore store(first.store);
    for (const PreparedStudy& study : studies)
      store.set_study(study.plan.study);
    jobs = missing_jobs(studies, store);
  }
  const std::size_t all = count_runs(studies);
  if (studies.size() == 1)
    std::cout << "Study " << first.protocol.name << ": ";
  else
    std::cout << studies.size() << " studies: ";
  std::cout << all << " runs, " << all - jobs.size() << " in " << first.store.string() << ", "
            << jobs.size() << " to do";
  if (!jobs.empty())
    std::cout << ", " << first.workers << " at once with " << first.threads << " thread"
              << (first.threads == 1 ? "" : "s") << " each";
  std::cout << std::endl;
  if (jobs.empty()) return kOk;

  {
    ImageCounter counter(isatty(STDERR_FILENO) != 0);
    results::RunStore store(first.store);
    core::prepare_data(jobs, store, counter);
  }
  core::StudyOutcome outcome;
  const core::RunnerOptions runner{
      .program = program_file(),
      .store = std::filesystem::absolute(first.store),
      .logs = std::filesystem::absolute(first.store).parent_path() / "logs",
      .workers = first.workers,
      .run_timeout = timeout};
  {
    ProgressView view(jobs, isatty(STDOUT_FILENO) != 0);
    outcome = core::run_jobs(jobs, runner, view, stop_requested);
  }
  if (outcome.interrupted) {
    std::cerr << "petlab: stopped; " << outcome.done
              << " runs are stored, the same command goes on from there\n";
    return kInterrupted;
  }
  if (outcome.failed == 0) return kOk;
  std::cerr
      << "petlab: " << outcome.failed << " of " << jobs.size()
      << " runs failed; the reasons are in the store (petlab plan), what workers printed is in "
      << (runner.logs / first.protocol.name).string() << "\n";
  return kRunFailed;
}

}  // namespace petlab::app
