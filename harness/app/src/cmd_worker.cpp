#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/study/run_order.hpp"
#include "places.hpp"
#include "progress_view.hpp"
#include "study_command.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>

namespace petlab::app {
namespace {

std::atomic<bool> order_must_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

extern "C" void stop_order(int) {
  order_must_stop = true;
}

/// A line for each thing that happens, and for `petlab plan` a file that says how far the run is.
class OrderProgressView final : public study::StudyObserver {
 public:
  OrderProgressView(const study::OrderFolder& folder, const std::vector<study::Job>& jobs)
      : folder_(folder),
        run_(jobs.front().identity.hash),
        view_(jobs, ProgressView::Detail::lines) {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    const char* node = std::getenv("SLURMD_NODENAME");
    progress_.host = node != nullptr ? node : host.data();
    progress_.since = results::utc_now();
  }

  void started(std::size_t job) override {
    view_.started(job);
    save("start");
  }
  void phase(std::size_t job, const std::string& name, std::int64_t total) override {
    view_.phase(job, name, total);
    progress_.done = 0;
    progress_.total = total;
    save(name.empty() ? "start" : name);
  }
  void update(std::size_t job, std::int64_t done, const std::string& detail) override {
    view_.update(job, done, detail);
    progress_.done = done;
    constexpr auto kPause = std::chrono::seconds(15);  // the file may lie far away
    if (std::chrono::steady_clock::now() - saved_ > kPause) save(progress_.phase);
  }
  void note(std::size_t job, const std::string& text) override { view_.note(job, text); }
  void done(std::size_t job, double accuracy, double seconds) override {
    view_.done(job, accuracy, seconds);
  }
  void failed(std::size_t job, const std::string& message, double seconds) override {
    view_.failed(job, message, seconds);
  }
  void elsewhere(std::size_t job, study::Elsewhere what, const std::string& message) override {
    view_.elsewhere(job, what, message);
  }
  void waiting(std::size_t runs, const std::string& holder) override {
    view_.waiting(runs, holder);
  }
  void tick() override {}

 private:
  void save(const std::string& phase) {
    progress_.phase = phase;
    folder_.set_progress(run_, progress_);
    saved_ = std::chrono::steady_clock::now();
  }

  const study::OrderFolder& folder_;
  const std::string& run_;
  ProgressView view_;
  study::OrderProgress progress_;
  std::chrono::steady_clock::time_point saved_ = {};
};

}  // namespace

int run_worker(const Arguments& arguments) {
  // First: a scheduler may send it at any moment.
  for (const int number : {SIGTERM, SIGINT}) {
    struct sigaction action{};
    action.sa_handler = stop_order;
    sigaction(number, &action, nullptr);
  }
  Usage usage{
      "worker",
      "JOBS INDEX [options]",
      "Computes one run of a folder that `petlab submit` wrote (STORE.jobs/N), on any host that\n"
      "sees it, and publishes its result there; `petlab collect` brings it into the store. INDEX\n"
      "is a number from 0 on. Nothing of a scheduler is asked: any that counts may call it. A run\n"
      "that has a result is not computed again. Exit code: 0 the result is published, 1 likewise\n"
      "and the run failed, 2 there is no such order, 5 JOBS cannot be used, 75 stopped: call it\n"
      "again, here or elsewhere. SIGTERM and Ctrl-C let it write a checkpoint, from which the "
      "next\n"
      "call goes on, and end with 75.",
      po::options_description("Options"),
      {"JOBS", "INDEX"},
      "  petlab submit my.ini --store results/my.sqlite --orders-only\n"
      "  seq 0 3 | xargs -P 2 -I{} petlab worker results/my.sqlite.jobs/1 {}\n"
      "  petlab collect --store results/my.sqlite\n"};
  usage.options.add_options()("patience", po::value<int>()->default_value(300),
                              "seconds for which a result is offered to a JOBS that cannot be "
                              "written, before it ends with 5");
  add_limit_options(usage.options);
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const auto number = base::parse_number<std::size_t>(options->text("INDEX"));
  if (!number)
    base::throw_config_error("INDEX is '" + options->text("INDEX") +
                             "', expected the number of an order, from 0 on");
  const study::OrderFolder folder(options->text("JOBS"));
  const study::WorkerRequest order = folder.order(*number);
  study::OrderOptions how{
      .program = program_file(),
      .patience = std::chrono::seconds(count_of(*options, "patience", 0, 24 * 3600))};
  take_limits(*options, how.run_timeout, how.memory_limit);
  const std::vector<study::Job> jobs = {order.job};
  OrderProgressView view(folder, jobs);
  switch (study::run_order(folder, order, how, view, order_must_stop)) {
    case study::OrderEnd::published:
      return kOk;
    case study::OrderEnd::failure_published:
      return kRunFailed;
    case study::OrderEnd::stopped:
      std::cerr << "petlab: stopped; call it again to go on\n";
      return kStopped;
  }
  return kInternal;
}

}  // namespace petlab::app
