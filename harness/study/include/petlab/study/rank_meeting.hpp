#pragma once

#include "petlab/engine/rank_place.hpp"
#include "petlab/study/worker.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace petlab::engine {
class RankStore;
}  // namespace petlab::engine

namespace petlab::study {

/// The place of this program among several that were started together, by torchrun's variables
/// RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT.
struct RankEnvironment {
  int rank = 0;
  int size = 1;
  std::string address = {};
  std::uint16_t port = 0;
  bool has_store = false;  ///< TORCHELASTIC_USE_AGENT_STORE: torchrun serves one there
};

/// Nothing where WORLD_SIZE is absent or 1. Throws Error(config) naming a variable that lacks or
/// has an impossible value.
[[nodiscard]] std::optional<RankEnvironment> rank_environment();

/// How many ranks were started on this host together with this program, itself among them; 0 where
/// it was not started as one. Asks no more than the variables say.
[[nodiscard]] int ranks_on_this_host();

/// Where the ranks of runs meet, one run after the other or several at once. The processes of a run
/// are called by its orders: WorkerRequest::ranks says which each is.
class RankMeeting {
 public:
  /// All ranks are processes of this machine, which are started here. Throws Error(device) where
  /// there is no port for them.
  [[nodiscard]] static std::shared_ptr<RankMeeting> here(int size);
  /// This program is rank 0; the others take their orders from it by follow_ranks().
  [[nodiscard]] static std::shared_ptr<RankMeeting> lead(const RankEnvironment& environment);
  /// end(1), where it was not called.
  ~RankMeeting();
  RankMeeting(const RankMeeting&) = delete;
  RankMeeting& operator=(const RankMeeting&) = delete;

  [[nodiscard]] int size() const { return size_; }
  /// False where each program starts a rank of its own.
  [[nodiscard]] bool starts_all() const { return starts_all_; }

  /// Rank 0's place in a run that is about to be started.
  [[nodiscard]] engine::RankPlace next_run();
  /// Hands the order of that run to the programs of the other ranks, where there are such.
  void publish(const WorkerRequest& order);
  /// Tells them that there is no more, and what to end with; waits until they know, a few seconds
  /// at most.
  void end(int exit_code) noexcept;

 private:
  RankMeeting(std::unique_ptr<engine::RankStore> store, int size, bool starts_all);

  std::unique_ptr<engine::RankStore> store_;
  int size_;
  bool starts_all_;
  int runs_ = 0;
  int published_ = 0;
  bool ended_ = false;
};

/// What the program of a rank other than 0 does: starts `program compute-run` for each run that
/// rank 0's program publishes, with what it prints in the folder logs beside the store, until that
/// one ends. Returns what to exit with. Throws Error(device) when that one is gone.
[[nodiscard]] int follow_ranks(const RankEnvironment& environment,
                               const std::filesystem::path& program);

/// Where what a rank of a run prints is kept.
[[nodiscard]] std::filesystem::path log_of_rank(const std::filesystem::path& logs, const Job& job,
                                                int rank);

}  // namespace petlab::study
