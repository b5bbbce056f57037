#pragma once

#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/rank_group.hpp"
#include "petlab/engine/run_checkpoint.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/sampler.hpp"
#include "petlab/engine/train_images.hpp"
#include "petlab/results/record.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace petlab::engine {

/// What is trained, on what, how. All are the caller's.
struct TrainingJob {
  AdaptedBackbone& backbone;
  const Adapters& adapters;  ///< that `backbone` is adapted by; at least one parameter
  TrainImages& images;
  const std::vector<Task>& tasks;
  const Training& training;
  std::uint64_t seed = 1;
  RankGroup* ranks = nullptr;  ///< share out the slices of a step; null: this process alone
};

/// What a run keeps of its training while it goes on. Both may be absent.
struct TrainingLog {
  std::optional<double>* step_flops = nullptr;  ///< receives those of the first step, both ways
  RunCheckpoint* checkpoint = nullptr;          ///< where to go on from, and to save to
};

/// How the training makes batches of the tasks of `backbone`.
[[nodiscard]] Batching batching_of(const Training& training, const AdaptedBackbone& backbone,
                                   std::size_t tasks);

/// The training with as many epochs as its `steps` begin, where it says steps. Throws Error(config)
/// where these are no more than its warm-up.
[[nodiscard]] Training with_epochs(Training training, std::int64_t steps_per_epoch);

/// Trains the adapters for `training.epochs` epochs, or for `training.steps` steps where it says
/// such; `epochs` are then as with_epochs() has them. An epoch's record says the learning rate of
/// its first step. An epoch's record is appended to `epochs` as
/// soon as it is over. Throws Error(numeric) naming epoch, step and task at the first loss that is
/// not finite.
void train(const TrainingJob& job, Progress& progress, std::vector<results::EpochRecord>& epochs,
           const TrainingLog& log = {});

}  // namespace petlab::engine
