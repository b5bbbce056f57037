#pragma once

#include "petlab/pretrain/optimizer.hpp"

#include <filesystem>

namespace petlab::pretrain {

/// Writes the state of the training to `file` atomically. Chance needs no state: every step draws
/// from a generator seeded with the seed and the step.
void save_checkpoint(const Optimizer& optimizer, double seconds, const std::filesystem::path& file);

/// Takes the training up again; returns the seconds it had run. Throws sdk::Error(data).
double load_checkpoint(Optimizer& optimizer, const std::filesystem::path& file);

}  // namespace petlab::pretrain
