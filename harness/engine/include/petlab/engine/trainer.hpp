#pragma once

#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/run_checkpoint.hpp"
#include "petlab/engine/run_spec.hpp"
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
};

/// What a run keeps of its training while it goes on. Both may be absent.
struct TrainingLog {
  std::optional<double>* step_flops = nullptr;  ///< receives those of the first step, both ways
  RunCheckpoint* checkpoint = nullptr;          ///< where to go on from, and to save to
};

/// Trains the adapters for `training.epochs` epochs. An epoch's record is appended to `epochs` as
/// soon as it is over. Throws Error(numeric) naming epoch, step and task at the first loss that is
/// not finite.
void train(const TrainingJob& job, Progress& progress, std::vector<results::EpochRecord>& epochs,
           const TrainingLog& log = {});

}  // namespace petlab::engine
