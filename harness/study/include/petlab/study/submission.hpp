#pragma once

#include "petlab/study/cluster_settings.hpp"
#include "petlab/study/order_folder.hpp"
#include "petlab/study/slurm.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace petlab::study {

/// Jobs as tasks of a scheduler: neighbours in the order given are put together as long as they are
/// expected to take `minutes` at most. `seconds`: expected of each job; nothing where it is not
/// known, and such a job is a task of its own.
[[nodiscard]] std::vector<std::vector<std::size_t>> bundle(
    const std::vector<std::optional<double>>& seconds, double minutes);

/// How the tasks of an order folder are submitted.
struct SubmitOptions {
  ClusterSettings settings;
  std::filesystem::path program;    ///< petlab, as the nodes see it
  std::string study;                ///< for the name of the jobs
  std::optional<int> at_once = {};  ///< tasks of an array that run at the same time at most
};

/// What is submitted: calls of sbatch and the script, for `--dry-run`.
struct SubmissionText {
  std::vector<std::vector<std::string>> calls;
  std::string script;
};
[[nodiscard]] SubmissionText submission_text(const std::filesystem::path& folder, std::size_t tasks,
                                             const SubmitOptions& options,
                                             std::int64_t largest_array);

/// Writes job.sh into the folder and submits its tasks as job arrays. Returns their job numbers.
/// When Slurm takes none of them the folder is removed, and SchedulerError thrown: nothing is
/// reserved.
[[nodiscard]] std::vector<std::string> submit_orders(const OrderFolder& folder,
                                                     const SubmitOptions& options);

/// What is known of a run that was ordered and whose result is not in the store.
struct QueuedRun {
  enum class State {
    lost,       ///< no task is left that will compute it
    cancelled,  ///< likewise, because somebody cancelled the task
    published,  ///< its result waits in the spool
    queued,
    running,
  };
  State state = State::lost;
  std::string job = {};     ///< "12_3" of Slurm
  std::string reason = {};  ///< why it waits
  std::string node = {};
  std::string since = {};  ///< when the task began
  std::optional<OrderProgress> progress = {};
};

/// The runs of the store's order folders that were submitted to Slurm and have not been collected,
/// by identity. Of several folders with one run, the one that is furthest on counts.
[[nodiscard]] std::map<std::string, QueuedRun> queued_runs(const std::filesystem::path& store,
                                                           const std::vector<QueueEntry>& queue);

/// Whether an order folder of the store was submitted and lacks results, so that the queue is worth
/// asking for.
[[nodiscard]] bool has_open_orders(const std::filesystem::path& store);

/// Held while it is decided which runs are submitted: two that submit at the same time order no run
/// twice. Waits for the other one. Throws Error(store).
class SubmitLock {
 public:
  explicit SubmitLock(const std::filesystem::path& store);
  ~SubmitLock();
  SubmitLock(const SubmitLock&) = delete;
  SubmitLock& operator=(const SubmitLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace petlab::study
