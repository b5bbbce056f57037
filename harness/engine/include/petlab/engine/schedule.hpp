#pragma once

#include "petlab/engine/run_spec.hpp"

#include <cstdint>

namespace petlab::engine {

/// Learning rate of an epoch (from 0): `warmup_learning_rate`, at most `learning_rate`, for the
/// first W = `warmup_epochs` epochs, then from `learning_rate` on, constant or as lr / 2 * (1 +
/// cos(pi * (e - W) / epochs)). That is what CoOp's code does (Dassl's ConstantWarmupScheduler
/// around CosineAnnealingLR with T_max = MAX_EPOCH and WARMUP_RECOUNT): the cosine spans all
/// epochs, so the last one is not at 0.
[[nodiscard]] double learning_rate_at(const Training& training, std::int64_t epoch);

}  // namespace petlab::engine
