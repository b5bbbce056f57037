#pragma once

#include "petlab/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::study {

/// Slurm cannot be reached, or refuses what it is asked for.
class SchedulerError final : public base::Error {
 public:
  explicit SchedulerError(const std::string& message)
      : base::Error(base::ErrorKind::internal, message) {}
};

/// A task of a job array as squeue lists it.
struct QueueEntry {
  std::string job;          ///< of the array
  std::int64_t task = 0;    ///< of the array
  std::string state;        ///< "PENDING", "RUNNING", ...
  std::string reason = {};  ///< why it waits
  std::string node = {};    ///< "" while it waits
  std::string since = {};   ///< when it began, or is expected to; local time

  /// It will run, runs, or is about to end: nothing is known yet of its result.
  [[nodiscard]] bool is_active() const;
  [[nodiscard]] bool is_running() const;
  [[nodiscard]] bool was_cancelled() const { return state == "CANCELLED"; }
};

/// Slurm's commands (sbatch, squeue, scancel, scontrol) of this machine. All functions throw
/// SchedulerError with what the command said.
namespace slurm {

/// The array tasks of this user that Slurm knows of, with those that ended a short while ago.
[[nodiscard]] std::vector<QueueEntry> queue();

/// Tasks of an array have numbers below this one.
[[nodiscard]] std::int64_t largest_array();

/// Calls sbatch with these arguments. Returns the number of the job.
[[nodiscard]] std::string submit(const std::vector<std::string>& arguments);

/// Cancels arrays ("12") or tasks of them ("12_3"). Those that ended already are no error.
void cancel(const std::vector<std::string>& jobs);

}  // namespace slurm
}  // namespace petlab::study
