#pragma once

#include "child_process.hpp"
#include "petlab/base/error.hpp"
#include "petlab/study/study_runner.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace petlab::study {

/// How a run in a child process ended.
struct WorkerEnd {
  double accuracy = 0.0;                    ///< of a run that is done
  std::optional<std::string> failure = {};  ///< the child recorded its failure itself: why
  std::optional<base::Error> death = {};    ///< the child ended without a record: why
  /// The child recorded its run and then ended as it should not have: how.
  std::optional<std::string> afterwards = {};
};

/// One run in a child process: watched, held to its limits, its progress passed on.
class WorkerProcess {
 public:
  /// Starts the child on the CPUs of `slot` (0 to workers - 1). Throws Error(internal).
  WorkerProcess(std::size_t index, const Job& job, const RunnerOptions& options, std::size_t slot);

  [[nodiscard]] std::size_t job() const { return index_; }
  [[nodiscard]] std::size_t slot() const { return slot_; }
  [[nodiscard]] const ChildProcess& child() const { return child_; }
  [[nodiscard]] double seconds() const;

  /// Tells the observer what the child said, and kills a child that is over a limit. True when the
  /// child has ended.
  [[nodiscard]] bool listen(StudyObserver& observer);

  /// After listen() said that the child has ended.
  [[nodiscard]] WorkerEnd end();

  /// The run is in the store already: a child that goes on for longer computes what another process
  /// has done.
  void expect_end_within(std::chrono::seconds time) { last_moment_ = Clock::now() + time; }
  [[nodiscard]] bool overdue() const { return last_moment_ && Clock::now() > *last_moment_; }

  /// The child stands still; the time does not count.
  void pause();
  void go_on();

 private:
  using Clock = std::chrono::steady_clock;

  void handle_line(std::string line, StudyObserver& observer);
  void kill_beyond_limits();
  [[nodiscard]] base::Error reason(int status) const;

  std::size_t index_;
  std::size_t slot_;
  std::optional<std::chrono::seconds> timeout_;
  std::optional<std::int64_t> memory_limit_;
  std::filesystem::path log_;
  Clock::time_point start_;
  Clock::time_point paused_ = {};
  std::optional<Clock::time_point> last_moment_ = {};
  std::optional<base::Error> killed_ = {};  ///< why, when this process did it
  std::string verdict_{};                   ///< "done" or "failed" once the child said so
  std::string message_{};                   ///< what followed
  ChildProcess child_;
};

}  // namespace petlab::study
