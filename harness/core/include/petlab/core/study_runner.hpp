#pragma once

#include "petlab/core/plan.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace petlab::core {

struct RunnerOptions {
  std::filesystem::path program;  ///< started as `program worker` for each run
  std::filesystem::path store;    ///< exists already
  std::filesystem::path logs;  ///< what workers print lies in logs/STUDY; kept where there is any
  int workers = 1;             ///< runs at once
  std::optional<std::chrono::seconds> run_timeout;
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
  /// Called several times a second.
  virtual void tick() = 0;
};

struct StudyOutcome {
  int done = 0;
  int failed = 0;
  bool interrupted = false;
};

/// Computes the jobs, each in a child process of its own, `workers` at a time, in their order. A
/// child that ends without a record (crash, kill, time-out) is recorded as a failed run with the
/// reason; the others go on. When `stop` becomes true the children are ended and their runs stay
/// undone. Throws Error(store) when the store cannot be written, Error(internal) when no child can
/// be started.
[[nodiscard]] StudyOutcome run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options,
                                    StudyObserver& observer, const std::atomic<bool>& stop);

}  // namespace petlab::core
