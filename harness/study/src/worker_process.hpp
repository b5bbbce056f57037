#pragma once

#include "child_process.hpp"
#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/study_runner.hpp"

#include <signal.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace petlab::study {

/// What a worker needs besides its run.
struct WorkerPlace {
  results::StoreFileId store;  ///< as this process opened it
  std::size_t slot = 0;        ///< 0 to workers - 1: whose CPUs it may use
  std::string mark;            ///< OrphanCare::mark()
};

/// How a child process ended. What came of its run is in the store, and nowhere else.
struct WorkerEnd {
  base::Error reason;          ///< for a run that has no record
  std::string how;             ///< the same as a remark, for one that has
  bool ended_well = false;     ///< as a child does that has stored its run
  bool was_stopped = false;    ///< by a signal that asks to stop, and it is to be called again
  std::string lost_rank = {};  ///< which of several processes ended before its time, and how; or ""
};

/// One run in a child process, or in one for each of its ranks: watched, held to its limits, its
/// progress passed on.
class WorkerProcess {
 public:
  /// Starts the child. Throws LogError where what it prints cannot be kept, else Error(internal).
  WorkerProcess(std::size_t index, const Job& job, const RunnerOptions& options,
                const WorkerPlace& place);

  [[nodiscard]] std::size_t job() const { return index_; }
  [[nodiscard]] std::size_t slot() const { return slot_; }
  [[nodiscard]] const ChildProcess& child() const { return child_; }
  /// Of all ranks.
  [[nodiscard]] std::vector<pid_t> pids() const;
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

  /// Asks the child to keep a checkpoint and to end. The other ranks end when rank 0 does.
  void ask_to_stop() const { child_.kill(SIGTERM); }

  /// The child stands still; the time does not count.
  void pause();
  void go_on();

 private:
  using Clock = std::chrono::steady_clock;

  void handle_line(std::string line, StudyObserver& observer);
  void pass_on(const std::string& note, StudyObserver& observer);
  void kill_beyond_limits();
  /// Ranks that outlive one that ended badly are ended after a moment.
  void end_with_lost_rank();
  void kill_all();
  [[nodiscard]] base::Error reason(int status, const char* lacking,
                                   const std::filesystem::path& log) const;

  std::size_t index_;
  std::size_t slot_;
  std::optional<std::chrono::seconds> timeout_;
  std::optional<std::int64_t> memory_limit_;
  bool can_be_stopped_;
  std::filesystem::path log_;
  Clock::time_point start_;
  Clock::time_point paused_ = {};
  std::optional<Clock::time_point> last_moment_ = {};
  std::optional<base::Error> killed_ = {};      ///< why, when this process did it
  int notes_ = 0;                               ///< that were passed on
  std::optional<Clock::time_point> lost_ = {};  ///< when a rank was found to have ended badly
  engine::RankPlace rank0_;
  ChildProcess child_;
  std::vector<ChildProcess> others_;  ///< ranks 1, 2 ..., where they are started here
  std::vector<std::filesystem::path> logs_of_others_;
};

}  // namespace petlab::study
