#include "cluster_command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/run_store.hpp"

#include <signal.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>
#include <utility>

// `petlab run --executor slurm`: what run_missing() is to this machine.
namespace petlab::app {
namespace {

using State = study::QueuedRun::State;

std::atomic<bool> watch_stopped{false};

extern "C" void stop_watching(int) {
  watch_stopped = true;
}

/// A result that was published may take a while to be seen from here (network file systems keep
/// what a folder holds): a run is gone when so many looks in a row find nobody at work on it.
constexpr int kLooksUntilGone = 3;
/// However often it is looked at: what Slurm requeues shows as ended for some seconds.
constexpr std::chrono::seconds kGoneFor{10};

/// How often, and since when, nobody was found at work on a run.
struct Absence {
  int looks = 0;
  std::chrono::steady_clock::time_point since{};
  /// One look more; true when the run is gone.
  bool look() {
    const auto now = std::chrono::steady_clock::now();
    if (looks++ == 0) since = now;
    return looks >= kLooksUntilGone && now - since >= kGoneFor;
  }
};

class Watch {
 public:
  Watch(const std::vector<PreparedStudy>& studies, const ClusterChoice& choice,
        const Parsed& options)
      : cluster_(studies, choice, options),
        attempts_allowed_(count_of(options, "attempts", 1, 1000)),
        poll_(count_of(options, "poll", 1, 3600)) {}

  int operator()() {
    while (!watch_stopped) {
      if (look()) return finish();
      for (int tenth = 0; tenth < 10 * poll_ && !watch_stopped; ++tenth)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    std::cerr
        << "petlab: stopped watching; jobs that were submitted go on. The same command watches "
           "again, petlab cancel ends them\n";
    return kInterrupted;
  }

 private:
  /// True when nothing is left to wait for.
  bool look() {
    const study::SubmitLock lock(cluster_.store());
    std::vector<study::QueueEntry> queue;
    try {
      queue = study::slurm::queue();
      if (std::exchange(is_away_, false)) trouble_.clear();
    } catch (const study::SchedulerError& error) {
      if (!is_watching_) throw;
      // It decides nothing: what runs goes on, and publishes.
      say_trouble(error);
      is_away_ = true;
    }
    // After the queue was asked: a run that ended in between has its result here.
    const study::Collected collected = study::collect(cluster_.store());
    is_sound_ = print_collected(collected, cluster_.store()) && is_sound_;
    study::PendingRuns pending = cluster_.pending();
    failed_ = pending.failed;
    done_ = pending.done;
    if (is_away_) return pending.jobs.empty();
    const auto known = study::queued_runs(cluster_.store(), queue);
    std::vector<study::Job> todo;
    std::size_t queued = 0, running = 0, waiting = 0;
    cancelled_ = lost_ = 0;
    for (study::Job& job : pending.jobs) {
      const std::string& run = job.identity.hash;
      const auto found = known.find(run);
      const State state = found == known.end() ? State::lost : found->second.state;
      if (state >= State::published) {
        looks_[run] = {};
        ++(state == State::running ? running : queued);
      } else if (attempts_[run] == 0) {
        todo.push_back(std::move(job));
      } else if (state == State::cancelled) {
        ++cancelled_;
      } else if (!looks_[run].look()) {
        ++waiting;
      } else if (attempts_[run] >= attempts_allowed_) {
        ++lost_;
      } else {
        todo.push_back(std::move(job));
      }
    }
    is_watching_ = is_watching_ || queued + running > 0;
    if (!todo.empty()) queued += submit(std::move(todo));
    say(queued, running);
    return queued + running + waiting == 0;
  }

  /// Returns how many were submitted.
  std::size_t submit(std::vector<study::Job> jobs) {
    try {
      const study::OrderFolder folder = cluster_.write(jobs);
      const auto numbers = study::submit_orders(folder, cluster_.submit_options());
      std::cout << jobs.size() << (jobs.size() == 1 ? " run" : " runs")
                << " submitted to Slurm as job " << base::joined(numbers) << " ("
                << base::printable(folder.path()) << ")" << std::endl;
    } catch (const study::SchedulerError& error) {
      if (!is_watching_) throw;
      say_trouble(error);
      return jobs.size();
    }
    is_watching_ = true;
    for (const study::Job& job : jobs) {
      ++attempts_[job.identity.hash];
      looks_[job.identity.hash] = {};
    }
    return jobs.size();
  }

  /// Once, however often it is met in a row.
  void say_trouble(const study::SchedulerError& error) {
    if (trouble_ != error.what())
      std::cerr << "petlab: asks Slurm again and again: " << error.what() << std::endl;
    trouble_ = error.what();
  }

  void say(std::size_t queued, std::size_t running) {
    const std::string text = std::to_string(done_) + " done, " + std::to_string(failed_) +
                             " failed, " + std::to_string(running) + " running, " +
                             std::to_string(queued) + " queued";
    if (text != said_) std::cout << cluster_.first().protocol.name << ": " << text << std::endl;
    said_ = text;
  }

  int finish() const {
    if (failed_ > 0)
      std::cerr << "petlab: " << failed_
                << " runs failed; the reasons are in the store (petlab plan)\n";
    if (cancelled_ > 0)
      std::cerr << "petlab: " << cancelled_
                << " runs were cancelled and stay so; the same command submits them again\n";
    if (lost_ > 0)
      std::cerr << "petlab: " << lost_ << " runs ended " << attempts_allowed_
                << " times without a result (--attempts); what their jobs said is in "
                << study::orders_place(cluster_.store()).string() << "/N/logs\n";
    if (!is_sound_) return kStore;
    return failed_ + cancelled_ + lost_ > 0 ? kRunFailed : kOk;
  }

  ClusterStudies cluster_;
  int attempts_allowed_;
  int poll_;
  std::map<std::string, int> attempts_;   ///< by run: how often this process submitted it
  std::map<std::string, Absence> looks_;  ///< in a row that found nobody at work on it
  bool is_watching_ =
      false;  ///< something is queued or runs, so that it is worth waiting for Slurm
  bool is_away_ = false, is_sound_ = true;
  std::size_t done_ = 0, failed_ = 0, cancelled_ = 0, lost_ = 0;
  std::string said_, trouble_;
};

}  // namespace

void add_executor_options(po::options_description& options) {
  options.add_options()("executor", text_value()->default_value("local"),
                        "local: this machine; slurm: jobs of a cluster (petlab submit --help)")(
      "attempts", po::value<int>()->default_value(3),
      "with slurm: how often a run is submitted whose job ended without a result")(
      "poll", po::value<int>()->default_value(10), "with slurm: seconds between two looks");
}

int run_on_cluster(const std::vector<PreparedStudy>& studies, const Parsed& options) {
  const ClusterChoice choice = cluster_choice(options);
  (void)study::slurm::queue();  // where Slurm is away, nothing is written
  for (const int number : {SIGTERM, SIGINT}) {
    struct sigaction action{};
    action.sa_handler = stop_watching;
    sigaction(number, &action, nullptr);
  }
  return Watch(studies, choice, options)();
}

}  // namespace petlab::app
