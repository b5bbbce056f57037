#pragma once

#include "petlab/pretrain/options.hpp"
#include "trainer.hpp"

#include <filesystem>

namespace petlab::pretrain {

/// What a training has behind it, besides its weights.
struct Account {
  double seconds = 0;         ///< of training
  double best_accuracy = -1;  ///< held out, at any checkpoint so far
};

/// Writes the state of the training to `file` atomically. Chance needs no state: every step draws
/// from a generator seeded with the seed and the step.
void save_checkpoint(Trainer& trainer, const Account& account, const std::filesystem::path& file);

/// Takes the training up again. Throws base::Error(data).
[[nodiscard]] Account load_checkpoint(Trainer& trainer, const std::filesystem::path& file);

/// Writes the options of model and training to `file`, a line "name = value" each.
void save_options(const PretrainOptions& options, const std::filesystem::path& file);

/// Throws base::Error(config) that names the first option whose value in `file` is another one.
void check_options(const PretrainOptions& options, const std::filesystem::path& file);

}  // namespace petlab::pretrain
