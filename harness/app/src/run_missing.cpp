#include "petlab/base/error.hpp"
#include "petlab/engine/rank_store.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "petlab/study/pending_runs.hpp"
#include "petlab/study/prepare_data.hpp"
#include "petlab/study/rank_meeting.hpp"
#include "petlab/study/study_runner.hpp"
#include "petlab/study/worker.hpp"
#include "places.hpp"
#include "progress_view.hpp"
#include "study_command.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <iostream>
#include <set>
#include <string_view>
#include <system_error>

// What `run` and `reproduce` share: running what is missing of some studies.
namespace petlab::app {
namespace {

std::atomic<bool> stop_requested{false};
std::atomic<bool> pause_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by signal handlers");

extern "C" void request_stop(int) {
  stop_requested = true;
}

extern "C" void request_pause(int) {
  pause_requested = true;
}

/// While pictures are decoded nothing is held that has to be given back: what is decoded is in the
/// cache's file, and the next start goes on from there.
extern "C" void leave_at_once(int) {
  constexpr std::string_view kText =
      "\npetlab: interrupted; decoded images are kept. Repeat the command to resume.\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
  ::_exit(kInterrupted);
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

/// What Ctrl-C and SIGTERM do in a part of the program; as before in the end.
class StopHandler {
 public:
  explicit StopHandler(void (*handler)(int)) {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], nullptr, &before_[i]);
      handle(kSignals[i], handler);
    }
  }
  ~StopHandler() {
    for (std::size_t i = 0; i < kSignals.size(); ++i)
      sigaction(kSignals[i], &before_[i], nullptr);
  }
  StopHandler(const StopHandler&) = delete;
  StopHandler& operator=(const StopHandler&) = delete;

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM};
  std::array<struct sigaction, kSignals.size()> before_{};
};

/// Ctrl-Z reaches the program alone: while workers are at work, it has to stop them first.
class PauseHandler {
 public:
  PauseHandler() {
    sigaction(SIGTSTP, nullptr, &before_);
    if (before_.sa_handler != SIG_IGN) handle(SIGTSTP, request_pause);
  }
  ~PauseHandler() { sigaction(SIGTSTP, &before_, nullptr); }
  PauseHandler(const PauseHandler&) = delete;
  PauseHandler& operator=(const PauseHandler&) = delete;

 private:
  struct sigaction before_{};
};

/// "512M", "8G", "1.5T": bytes, in powers of 1024.
std::int64_t size_of(const std::string& text) {
  const std::string suffixes = "KMGT";
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::size_t suffix = end < text.data() + text.size() ? suffixes.find(*end) : 0;
  if (error != std::errc() || number <= 0.0 || number > 1e6 ||
      end + 1 != text.data() + text.size() || suffix == std::string::npos)
    throw base::Error(
        base::ErrorKind::config,
        "--memory-limit is '" + text + "', expected a number with K, M, G or T, e.g. 8G");
  return static_cast<std::int64_t>(std::ldexp(number, 10 * (static_cast<int>(suffix) + 1)));
}

/// Before anything is prepared.
void check_ranks(const std::vector<PreparedStudy>& studies, int ranks) {
  if (ranks == 1) return;
  for (const PreparedStudy& study : studies) {
    const std::int64_t slices = study.protocol.training.slices;
    if (ranks > slices)
      base::throw_config_error(
          "there are " + std::to_string(ranks) + " ranks, but train.slices of study '" +
          study.protocol.name + "' is " + std::to_string(slices) +
          ", expected at least one slice for each rank: --set train.slices=" +
          std::to_string(ranks) + " (slices are a part of a run's identity, ranks are not)");
    if (study.protocol.device != engine::DeviceKind::cpu)
      base::throw_config_error("ranks compute on the CPU, but train.device is " +
                               engine::to_string(study.protocol.device) +
                               ", expected cpu or one rank");
  }
  if (!engine::has_ranks())
    base::throw_config_error(
        "this petlab was built without Gloo, which ranks need: install the headers of gloo "
        "(Debian: libgloo-dev) and build again");
}

constexpr int kLongestRun = 366 * 24 * 3600;
constexpr int kLongestLease = static_cast<int>(std::chrono::seconds(study::kLongestLease).count());

study::RunnerOptions runner_options(const Parsed& options, const PreparedStudy& study) {
  const std::filesystem::path store = results::absolute_address(study.store);
  const study::CpuSet cpus = study::allowed_cpus();
  // Under a quota the CPUs are others' too: to stay on some of them would be to wait for them.
  const bool has_all = study::usable_cpus() == static_cast<int>(cpus.size());
  study::RunnerOptions runner{
      .program = program_file(),
      .store = store,
      .logs = results::beside_store(store).parent_path() / "logs",
      .workers = study.workers,
      .lease = std::chrono::seconds(count_of(options, "lease", 1, kLongestLease)),
      .cpus = has_all ? study::share_cpus(cpus, study.workers, study.threads * study.ranks)
                      : std::vector<study::CpuSet>{},
      .pause = &pause_requested};
  take_limits(options, runner.run_timeout, runner.memory_limit);
  return runner;
}

/// A process that was ended between a run's record and the removal of its checkpoint left it
/// behind.
void remove_leftovers(const std::vector<study::Job>& jobs, const std::filesystem::path& file,
                      const results::RunStore& store) {
  std::error_code ignored;
  for (const study::Job& job : jobs) {
    const std::filesystem::path checkpoint = study::checkpoint_file(file, job.identity);
    if (std::filesystem::exists(checkpoint, ignored) && store.has_done(job.identity.hash))
      std::filesystem::remove(checkpoint, ignored);
  }
}

/// The plan that the store gets: with --rows, what it has of this study already and the chosen
/// rows.
results::StudyRecord recorded_plan(const PreparedStudy& study, const results::RunStore& store) {
  results::StudyRecord record = study.plan.study;
  if (study.wanted.size() == study.plan.jobs.size()) return record;
  std::set<std::string> hashes;
  for (const study::Job& job : study.wanted)
    hashes.insert(job.identity.hash);
  if (const auto stored = store.study(record.name))
    for (const results::PlannedRun& run : stored->plan)
      hashes.insert(run.hash);
  std::erase_if(record.plan, [&](const auto& run) { return hashes.count(run.hash) == 0; });
  std::erase_if(record.searches, [&](const results::SearchRecord& search) {
    return std::none_of(record.plan.begin(), record.plan.end(),
                        [&](const auto& run) { return run.row_index == search.row_index; });
  });
  return record;
}

void print_pending(const std::vector<PreparedStudy>& studies, const study::PendingRuns& pending,
                   const study::RunnerOptions& runner) {
  const PreparedStudy& first = studies.at(0);
  if (studies.size() == 1)
    std::cout << "Study " << first.protocol.name << ": ";
  else
    std::cout << studies.size() << " studies: ";
  std::cout << pending.done + pending.failed + pending.jobs.size() << " runs, " << pending.done
            << " in " << first.store.string() << ", ";
  if (pending.failed > 0) std::cout << pending.failed << " failed before, ";
  std::cout << pending.jobs.size() << " to do";
  if (!pending.jobs.empty()) {
    const bool pinned = first.workers > 1 && !runner.cpus.empty();
    std::cout << ", " << first.workers
              << (first.workers == 1 ? " run at a time, " : " parallel runs, ") << first.threads
              << (pinned ? " pinned" : "") << " thread" << (first.threads == 1 ? "" : "s")
              << " each";
    if (runner.ranks != nullptr) std::cout << ", " << runner.ranks->size() << " ranks a run";
    if (first.workers > 1 && !pinned) std::cout << " (not pinned to CPUs)";
  }
  std::cout << std::endl;
}

/// What the plans have to say of data sets and splits, each sentence once.
std::vector<std::string> notes_of(const std::vector<PreparedStudy>& studies) {
  std::vector<std::string> notes;
  for (const PreparedStudy& study : studies)
    for (const std::string& note : study.plan.notes)
      if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
  return notes;
}

/// What a study with failed runs ends with, on stderr. Returns the exit code.
int say_failures(const study::PendingRuns& pending, const study::StudyOutcome& outcome,
                 const study::RunnerOptions& runner) {
  const int failed = outcome.failed + outcome.failed_elsewhere;
  if (failed > 0)
    std::cerr << "petlab: " << failed << " of " << pending.jobs.size()
              << " runs failed; the reasons are in the store (petlab plan), what workers printed "
                 "is in "
              << runner.logs.string() << "\n";
  if (pending.failed > 0)
    std::cerr << "petlab: " << pending.failed << (pending.failed == 1 ? " run" : " runs")
              << " failed before and " << (pending.failed == 1 ? "was" : "were")
              << " not tried again; --retry failed does so, --retry device only for one kind of "
                 "failure\n";
  if (outcome.held_elsewhere > 0)
    std::cerr << "petlab: " << outcome.held_elsewhere
              << " runs are left undone, because leases hold them for longer than any petlab asks "
                 "for; where nobody works on them, petlab clean --store FILE --leases gives them "
                 "back\n";
  return failed > 0 || pending.failed > 0 || outcome.held_elsewhere > 0 ? kRunFailed : kOk;
}

}  // namespace

study::RetryChoice retry_choice(const Parsed& options) {
  return options.has("retry") ? study::parse_retry(options.text("retry")) : study::RetryChoice{};
}

void store_plan(const PreparedStudy& study, results::RunStore& store) {
  const results::StudyRecord record = recorded_plan(study, store);
  if (const auto earlier = store.set_study(record))
    std::cout << "The plan that the store had of study " << record.name
              << " is another; it is kept as '" << *earlier << "'" << std::endl;
}

std::vector<study::Job> all_jobs(const std::vector<PreparedStudy>& studies) {
  std::vector<study::Job> jobs;
  std::set<std::string> seen;
  for (const PreparedStudy& study : studies)
    for (const study::Job& job : study.wanted)
      if (seen.insert(job.identity.hash).second) jobs.push_back(job);
  return jobs;
}

void add_limit_options(po::options_description& options) {
  options.add_options()("run-timeout", po::value<int>(),
                        "seconds after which a run is ended and counts as failed")(
      "memory-limit", text_value(),
      "memory of one run, e.g. 8G; a run that holds more is ended and counts as failed");
}

void take_limits(const Parsed& options, std::optional<std::chrono::seconds>& run_timeout,
                 std::optional<std::int64_t>& memory_limit) {
  if (options.has("run-timeout"))
    run_timeout = std::chrono::seconds(count_of(options, "run-timeout", 1, kLongestRun));
  if (options.has("memory-limit")) memory_limit = size_of(options.text("memory-limit"));
}

bool is_quiet(const Parsed& options) {
  return options.has("quiet") && options.get<bool>("quiet");
}

void add_running_options(po::options_description& options) {
  add_limit_options(options);
  options.add_options()("quiet", po::bool_switch(), "no progress; failures are still told")(
      "retry", text_value(),
      "try failed runs again: failed (all), or kinds of failures, e.g. "
      "device,numeric (petlab plan shows them)")(
      "lease", po::value<int>()->default_value(60),
      "heartbeat timeout in seconds: without a heartbeat for so long, another petlab process on "
      "the same store may take over this one's runs")(
      "ranks", po::value<int>(),
      "processes that compute each run together, at most train.slices; the result is the same");
}

int run_missing(const std::vector<PreparedStudy>& studies, const Parsed& options) {
  check_ranks(studies, ranks_of(options));
  return run_with_ranks(
      studies, options,
      ranks_of(options) > 1 ? study::RankMeeting::here(ranks_of(options)) : nullptr);
}

int run_with_ranks(const std::vector<PreparedStudy>& studies, const Parsed& options,
                   std::shared_ptr<study::RankMeeting> ranks) {
  if (ranks != nullptr) check_ranks(studies, ranks->size());
  const study::RetryChoice retry = retry_choice(options);
  const PreparedStudy& first = studies.at(0);
  study::RunnerOptions runner = runner_options(options, first);
  runner.ranks = std::move(ranks);
  for (const PreparedStudy& study : studies)  // before a row of it fails for this
    (void)engine::parse_device(engine::to_string(study.protocol.device));
  if (const auto beside = results::beside_store(first.store); beside.has_parent_path())
    std::filesystem::create_directories(beside.parent_path());
  results::RunStore store(first.store);
  for (const PreparedStudy& study : studies)
    store_plan(study, store);
  const std::vector<study::Job> jobs = all_jobs(studies);
  study::PendingRuns pending = study::choose_jobs(jobs, store, retry);
  remove_leftovers(jobs, first.store, store);
  runner.retried = pending.retried;
  const bool quiet = is_quiet(options);
  if (!quiet) {
    print_pending(studies, pending, runner);
    for (const std::string& note : notes_of(studies))
      std::cout << "Note: " << note << std::endl;
  }
  study::StudyOutcome outcome;
  if (!pending.jobs.empty()) {
    {
      const StopHandler stop(leave_at_once);
      ImageCounter counter(isatty(STDERR_FILENO) != 0);
      study::prepare_data(pending.jobs, store, counter);
    }
    store.check_in_place();
    const StopHandler stop(request_stop);
    const PauseHandler pause;
    using Detail = ProgressView::Detail;
    ProgressView view(pending.jobs, quiet                        ? Detail::nothing
                                    : isatty(STDOUT_FILENO) != 0 ? Detail::bar
                                                                 : Detail::lines);
    outcome = study::run_jobs(pending.jobs, runner, view, stop_requested);
  }
  if (outcome.lost_rank) {
    std::cerr << "petlab: a rank ended before its time: " << outcome.done << " of "
              << pending.jobs.size()
              << " finished. Repeat the command to resume, with as many ranks as you like.\n";
    return kStopped;
  }
  if (outcome.interrupted) {
    std::cerr << "petlab: Interrupted: " << outcome.done << " of " << pending.jobs.size()
              << " finished. Repeat the command to resume.\n";
    return kInterrupted;
  }
  return say_failures(pending, outcome, runner);
}

}  // namespace petlab::app
