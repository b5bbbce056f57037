#include "petlab/core/study_runner.hpp"

#include "child_process.hpp"
#include "petlab/core/run.hpp"
#include "petlab/core/worker.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/sdk/error.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <list>

namespace petlab::core {
namespace {

using Clock = std::chrono::steady_clock;

/// The first word of a line; the rest stays in `line`.
std::string take_word(std::string& line) {
  const auto blank = line.find(' ');
  std::string word = line.substr(0, blank);
  line = blank == std::string::npos ? "" : line.substr(blank + 1);
  return word;
}

std::int64_t to_integer(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

double to_real(const std::string& text) {
  double number = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string last_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line, last;
  while (std::getline(in, line))
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  return last.substr(0, 200);
}

/// A run in a child process, and what it said so far.
struct Active {
  std::size_t job;
  ChildProcess child;
  std::filesystem::path log;
  Clock::time_point start;
  bool timed_out = false;
  std::string verdict{};  ///< "done" or "failed" once the child said so
  std::string message{};  ///< what followed

  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
};

class StudyRun {
 public:
  StudyRun(const std::vector<Job>& jobs, const RunnerOptions& options, StudyObserver& observer)
      : jobs_(jobs), options_(options), observer_(observer), store_(options.store) {}

  StudyOutcome operator()(const std::atomic<bool>& stop) {
    std::size_t next = 0;
    while (next < jobs_.size() || !active_.empty()) {
      if (stop) {
        outcome_.interrupted = true;
        active_.clear();  // kills them; their runs are missing and are computed next time
        break;
      }
      while (next < jobs_.size() && active_.size() < static_cast<std::size_t>(options_.workers))
        start(next++);
      wait_for_news();
      for (auto run = active_.begin(); run != active_.end();) {
        if (listen(*run)) {
          finish(*run);
          run = active_.erase(run);
        } else {
          ++run;
        }
      }
      observer_.tick();
    }
    return outcome_;
  }

 private:
  void start(std::size_t index) {
    const Job& job = jobs_[index];
    const auto log = options_.logs / job.spec.study /
                     (job.spec.label + ".seed" + std::to_string(job.spec.seed) + ".log");
    std::filesystem::create_directories(log.parent_path());
    const WorkOrder order{job, options_.store, static_cast<int>(::getpid())};
    const std::string threads = std::to_string(job.spec.threads);
    active_.push_back({index,
                       ChildProcess({options_.program.string(), "worker"},
                                    {"OMP_NUM_THREADS=" + threads, "MKL_NUM_THREADS=" + threads},
                                    to_json(order), log),
                       log, Clock::now()});
    observer_.started(index);
  }

  void wait_for_news() {
    std::vector<pollfd> descriptors;
    for (const Active& run : active_)
      descriptors.push_back({run.child.descriptor(), POLLIN, 0});
    ::poll(descriptors.data(), descriptors.size(), /*timeout_ms=*/200);
  }

  /// Reads what the child says. True when it has ended.
  bool listen(Active& run) {
    bool ended = false;
    for (std::string line : run.child.lines(&ended)) {
      const std::string word = take_word(line);
      if (word == "phase") {
        const std::string name = take_word(line);
        observer_.phase(run.job, name, to_integer(line));
      } else if (word == "update") {
        const std::string done = take_word(line);
        observer_.update(run.job, to_integer(done), line);
      } else if (word == "note") {
        observer_.note(run.job, line);
      } else {
        run.verdict = word;
        run.message = line;
      }
    }
    if (!ended && options_.run_timeout && !run.timed_out &&
        Clock::now() - run.start > *options_.run_timeout) {
      run.timed_out = true;
      run.child.kill(SIGKILL);
    }
    return ended;
  }

  void finish(Active& run) {
    const int status = run.child.wait();
    const bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) <= 1;
    if (ended_well && run.verdict == "done") {
      ++outcome_.done;
      observer_.done(run.job, to_real(run.message), run.seconds());
    } else if (ended_well && run.verdict == "failed") {
      ++outcome_.failed;
      take_word(run.message);  // the kind of error
      observer_.failed(run.job, run.message, run.seconds());
    } else {
      ++outcome_.failed;
      const sdk::Error reason = reason_of(run, status);
      record_failure(jobs_[run.job], reason);
      observer_.failed(run.job, reason.what(), run.seconds());
    }
    std::error_code ignored;
    if (std::filesystem::file_size(run.log, ignored) == 0)
      std::filesystem::remove(run.log, ignored);
  }

  [[nodiscard]] sdk::Error reason_of(const Active& run, int status) const {
    if (run.timed_out)
      return {sdk::ErrorKind::config, "the run took longer than the limit of " +
                                          std::to_string(options_.run_timeout->count()) +
                                          " s (--run-timeout)"};
    std::string text = "the worker ended ";
    auto kind = sdk::ErrorKind::plugin;
    if (WIFSIGNALED(status)) {
      text += "by " + signal_text(WTERMSIG(status));
      if (WTERMSIG(status) == SIGKILL) {
        kind = sdk::ErrorKind::device;
        text += "; the system does so when memory runs out";
      }
    } else {
      text += "with exit code " + std::to_string(WEXITSTATUS(status)) + " and without a result";
      kind = sdk::ErrorKind::internal;
    }
    const std::string said = last_line(run.log);
    return {kind, text + (said.empty() ? "" : "; its last words: " + said)};
  }

  void record_failure(const Job& job, const sdk::Error& reason) {
    NoProgress nothing;
    const RunInfo info{job.identity, job.plugin, job.plugin_version, job.environment};
    const auto fail = [&]() -> RunInputs { throw reason; };
    store_.record(run_guarded(job.spec, info, fail, nothing));
  }

  const std::vector<Job>& jobs_;
  const RunnerOptions& options_;
  StudyObserver& observer_;
  results::RunStore store_;
  std::list<Active> active_;
  StudyOutcome outcome_;
};

}  // namespace

StudyOutcome run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options,
                      StudyObserver& observer, const std::atomic<bool>& stop) {
  return StudyRun(jobs, options, observer)(stop);
}

}  // namespace petlab::core
