#pragma once

#include "petlab/engine/progress.hpp"
#include "petlab/engine/rank_place.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/plan.hpp"

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

namespace petlab::study {

/// What a child process ends with that was asked to stop (SIGTERM) and whose run is to be called
/// again: EX_TEMPFAIL of sysexits.h.
inline constexpr int kStoppedExit = 75;

/// A run whose record lies in a store of this process alone until it is published elsewhere. Its
/// checkpoint outlives that store, and stays when the record is in it. On SIGTERM the child writes
/// a checkpoint after its next training step and ends with kStoppedExit; outside of training it
/// ends at once, and the last checkpoint counts.
struct DetachedRun {
  std::filesystem::path checkpoints;  ///< folder
  std::filesystem::path features;     ///< folder of image features, of this host alone
};

/// What the program hands to a child process that computes one run, as JSON on its standard input.
struct WorkerRequest {
  Job job;
  std::filesystem::path store;
  results::StoreFileId store_file;  ///< as the program opened it: no other may take its place
  int parent = 0;  ///< process that waits for the child; the child ends when it does
  std::optional<DetachedRun> detached = {};
  engine::RankPlace ranks = {};  ///< which process of those that compute the run together
};

[[nodiscard]] std::string to_json(const WorkerRequest& order);
/// Throws Error(internal) when the text is no worker request.
[[nodiscard]] WorkerRequest parse_worker_request(const std::string& json);

/// Progress as lines for the parent: "phase NAME TOTAL", "update DONE DETAIL", "note TEXT". What
/// came of the run is not among them: the store says that.
class ProgressLines final : public engine::Progress {
 public:
  /// Writes to a file descriptor; a descriptor that is closed is no error.
  explicit ProgressLines(int descriptor) : descriptor_(descriptor) {}

  void begin(std::string_view phase, std::int64_t total) override;
  void update(std::int64_t done, std::string_view detail) override;
  void note(std::string_view text) override;
  void line(std::string text);

 private:
  int descriptor_;
  std::int64_t last_update_ms_ = 0;
};

/// Where the run keeps its state until it is in the store: beside the store, so that another
/// process that takes the run over finds it.
[[nodiscard]] std::filesystem::path checkpoint_file(const std::filesystem::path& store,
                                                    const results::RunIdentity& identity);
/// Its name in that folder.
[[nodiscard]] std::string checkpoint_name(const results::RunIdentity& identity);

/// The child's work: loads the plugins and what the run needs, checks that data and backbone are
/// those of the plan, trains, evaluates, and writes the record, failed or done, in one transaction.
/// The run's checkpoint goes when its finished record is stored, and not before. Returns true for a
/// done run. Throws Error(store) when the record cannot be written, or when the store is not the
/// file that the program opened; engine::RunStopped when a detached run was asked to stop, or when
/// another rank is gone. Rank 0 alone opens the store and writes checkpoint and adapters.
bool work(const WorkerRequest& order, ProgressLines& progress);

}  // namespace petlab::study
