#pragma once

#include "petlab/engine/run_spec.hpp"

#include <cstdint>

namespace petlab::engine {

/// Learning rate of an epoch (from 0): `warmup_learning_rate`, at most `learning_rate`, for the
/// first W = `warmup_epochs` epochs, then from `learning_rate` on, constant or as end + (lr - end)
/// / 2 * (1 + cos(pi * (e - W) / epochs)) with the `end_learning_rate`, at most lr. That is what
/// CoOp's code does (Dassl's ConstantWarmupScheduler around CosineAnnealingLR with T_max =
/// MAX_EPOCH and WARMUP_RECOUNT): the cosine spans all epochs, so the last one is not at its end.
[[nodiscard]] double learning_rate_at(const Training& training, std::int64_t epoch);

/// Learning rate of a step (from 0, over the whole training of `steps`): that of its epoch, or,
/// where `schedule_interval` is the step, the same with steps in the place of epochs, as a
/// CosineAnnealingLR with T_max = steps that is stepped after each of them.
[[nodiscard]] double learning_rate_at_step(const Training& training, std::int64_t step,
                                           std::int64_t steps_per_epoch, std::int64_t steps);

}  // namespace petlab::engine
