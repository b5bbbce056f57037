#pragma once

#include "petlab/engine/progress.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/results/record.hpp"
#include "petlab/sdk/backbone.hpp"
#include "petlab/sdk/grouping.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace petlab::engine {

/// How far training is. Which images a step shows follows from seed, epoch and step alone.
struct TrainingPosition {
  std::int64_t epoch = 0;
  std::int64_t step = 0;    ///< steps of the epoch that are done
  std::int64_t images = 0;  ///< that were in them
  double loss_sum = 0.0;    ///< over those steps
  double last_loss = 0.0;
  double epoch_seconds = 0.0;
};

/// What a run needs to go on after its process was ended: the grouping that was found; weights,
/// optimizer, random states and position of the training; what was recorded until then. A run that
/// goes on ends with the same bits as one that was never stopped. One file, written beside its
/// place, synced and renamed: there is the old one or the new one. A file of another run, or one
/// that is damaged, is not used; the latter is said. A checkpoint that cannot be written (a full
/// disk) is said too, and the run goes on: the last one that was written stays.
class RunCheckpoint {
 public:
  /// Reads the run's checkpoint, if there is one, and puts what it recorded into `record` (epochs,
  /// costs, grouping, resumed). `record` and `progress`, which takes the notes, outlive this
  /// object.
  RunCheckpoint(const CheckpointPlace& place, results::RunRecord& record, Progress& progress);

  /// The partition that was found before; nothing where there is none yet.
  [[nodiscard]] const std::optional<sdk::Partition>& partition() const { return partition_; }
  /// Keeps the grouping in `record` and its partition.
  void save_grouping(const sdk::Partition& partition);

  /// Where training stood; nothing where it has to begin.
  [[nodiscard]] const std::optional<TrainingPosition>& position() const { return position_; }
  /// The tensors that were given to save_training(), by name.
  [[nodiscard]] const std::vector<sdk::NamedTensor>& tensors() const { return tensors_; }
  /// What the phase "train" had cost by then.
  [[nodiscard]] const results::PhaseCost& earlier_cost() const { return earlier_cost_; }

  /// Tells how the phase "train" costs so far, for what is saved in it.
  void set_running_cost(std::function<results::PhaseCost()> cost) { cost_ = std::move(cost); }

  /// True when it is time for the next save_training(): the first one of a run soon, so that a run
  /// that is killed early loses little.
  [[nodiscard]] bool due() const;
  void save_training(const TrainingPosition& position,
                     const std::vector<sdk::NamedTensor>& tensors);

 private:
  using Clock = std::chrono::steady_clock;

  void read();
  /// Not a step of the run may fail for a checkpoint's sake: tells what went wrong.
  void try_to_write(const TrainingPosition* position, const std::vector<sdk::NamedTensor>& tensors);
  void write(const TrainingPosition* position, const std::vector<sdk::NamedTensor>& tensors);

  CheckpointPlace place_;
  results::RunRecord& record_;
  Progress& progress_;
  std::string trouble_;  ///< why the last one was not written; "" when it was
  std::optional<sdk::Partition> partition_;
  std::optional<TrainingPosition> position_;
  std::vector<sdk::NamedTensor> tensors_;
  results::PhaseCost earlier_cost_;
  std::function<results::PhaseCost()> cost_;
  bool is_saved_ = false;  ///< save_training() was called
  Clock::time_point last_ = Clock::now();
  double write_seconds_ = 0.0;
};

/// Where the training of a run stands in its checkpoint; nothing where there is none that the run
/// could resume from.
[[nodiscard]] std::optional<TrainingPosition> position_in(const std::filesystem::path& file,
                                                          const results::RunIdentity& identity);

}  // namespace petlab::engine
