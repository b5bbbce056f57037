#pragma once

#include "petlab/study/cpu_shares.hpp"
#include "petlab/study/plan.hpp"
#include "petlab/study/worker.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace petlab::study {

class RankMeeting;

/// What another petlab on the same store did, or what the user should know of it.
enum class Elsewhere {
  done,    ///< it finished the run
  failed,  ///< it recorded the run as failed
  taken,   ///< it took the run from this process, which stood still for too long
  held,    ///< a lease holds the run for longer than any petlab asks for: it is not waited for
};

/// A lease is asked for at most for so long (RunnerOptions::lease).
inline constexpr std::chrono::hours kLongestLease{24};

/// What the program is called with in the children.
inline constexpr const char* kComputeCommand = "compute-run";

struct RunnerOptions {
  std::filesystem::path program;  ///< started as `program compute-run` for each run
  std::filesystem::path store;    ///< exists already
  std::filesystem::path logs;  ///< what workers print lies in logs/STUDY; kept where there is any
  int workers = 1;             ///< runs at once
  std::optional<std::chrono::seconds> run_timeout = {};
  std::optional<std::int64_t> memory_limit = {};  ///< bytes that one run may hold
  /// How long a run stays this process's after its last sign of life. A process that dies leaves
  /// its runs to others after that time.
  std::chrono::milliseconds lease = std::chrono::seconds(60);
  std::vector<CpuSet> cpus = {};  ///< of each worker (share_cpus()); empty: all may use all
  /// Failed runs that are to be done again: when that failure was recorded, by identity. A failure
  /// that is not in it, or is a later one, counts as another process's and is left alone.
  std::map<std::string, std::string> retried = {};
  /// When it becomes true the children stand still, then this process (SIGSTOP); they go on when it
  /// does. For Ctrl-Z. Set to false again.
  std::atomic<bool>* pause = nullptr;
  /// Runs are published elsewhere: `stop` asks their children for a checkpoint and waits for their
  /// ends, and a child that was stopped leaves no failed run.
  std::optional<DetachedRun> detached = {};
  /// Each run is computed by several processes, its ranks; null: by one.
  std::shared_ptr<RankMeeting> ranks = {};
};

/// Told of a study's runs as they happen, from one thread. Jobs are named by their index.
class StudyObserver {
 public:
  virtual ~StudyObserver() = default;
  virtual void started(std::size_t job) = 0;
  virtual void phase(std::size_t job, const std::string& name, std::int64_t total) = 0;
  virtual void update(std::size_t job, std::int64_t done, const std::string& detail) = 0;
  /// Something that the user should know although the run goes on.
  virtual void note(std::size_t job, const std::string& text) = 0;
  virtual void done(std::size_t job, double mean_accuracy, double seconds) = 0;
  virtual void failed(std::size_t job, const std::string& message, double seconds) = 0;
  /// `message`: why, for a failed run; by whom and until when, for one that is held. A run that was
  /// taken ends later as done or failed, or is started again.
  virtual void elsewhere(std::size_t job, Elsewhere what, const std::string& message) = 0;
  /// Nothing is left but `runs` runs that other processes work on; `holder` is one of these.
  virtual void waiting(std::size_t runs, const std::string& holder) = 0;
  /// Called several times a second.
  virtual void tick() = 0;
};

struct StudyOutcome {
  int done = 0;
  int failed = 0;
  int done_elsewhere = 0;
  int failed_elsewhere = 0;
  int held_elsewhere = 0;  ///< left undone
  bool interrupted = false;
  bool lost_rank = false;  ///< why it was interrupted: a rank ended, and with it the study
};

/// Computes the jobs, each in a child process of its own, `workers` at a time, in their order. A
/// child that ends without a record (crash, kill, time-out) is recorded as a failed run with the
/// reason, whatever it said of itself; the others go on. Each run is taken from the store by a
/// lease first: one that another process works on is left to it, and waited for in the end; when
/// that process dies, its runs are taken over. When `stop` becomes true the children are ended and
/// their runs stay undone; likewise when a rank of a run ends before its time. What children
/// started is ended with them, daemons too. Throws Error(store) when the store cannot be written or
/// was removed or replaced meanwhile, Error(internal) when no child can be started.
[[nodiscard]] StudyOutcome run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options,
                                    StudyObserver& observer, const std::atomic<bool>& stop);

}  // namespace petlab::study
