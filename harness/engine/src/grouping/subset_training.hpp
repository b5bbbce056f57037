#pragma once

#include "petlab/engine/grouping_host.hpp"

#include <cstdint>
#include <vector>

namespace petlab::engine {

/// What training on some tasks gave, and what it cost.
struct SubsetLosses {
  std::vector<double> losses;  ///< mean cross-entropy of each of the tasks
  std::int64_t images = 0;     ///< that went through the image tower
};

/// sdk::GroupingHost::losses_of_training(): the run's own trainer, optimizer and schedule on a new
/// adapter that `tasks` share. Losses are taken without augmentation, on training images only.
/// Throws Error(config) for a method that trains nothing or a share that leaves nothing, and
/// Error(plugin) for tasks that are not a set of the run's.
[[nodiscard]] SubsetLosses train_on_subset(const WarmUpContext& context,
                                           const std::vector<std::int64_t>& tasks,
                                           std::int64_t epochs, double held_out);

/// Parts training images in two by class: of m images of a class round(m * held_out) are held out,
/// at least one and at most m - 1; of a single image none. Shuffled by (seed, name) alone.
struct HeldOut {
  LabelledImages train;
  LabelledImages held;
};
[[nodiscard]] HeldOut hold_out(const Task& task, double held_out, std::uint64_t seed);

}  // namespace petlab::engine
