#pragma once

#include "petlab/engine/run_spec.hpp"

#include <filesystem>
#include <string>

namespace petlab::datasets {
struct Dataset;
struct Split;
}  // namespace petlab::datasets

namespace petlab::engine {

struct RunInputs;

/// A split as two files: what training may see, and the test pictures' rows and labels apart. The
/// host writes them, so that the process that trains never opens the data set, whose folders and
/// lists name every label; it reads the second file after the last training step.
struct SplitManifest {
  std::filesystem::path train;
  std::filesystem::path test;
  std::string train_hash;  ///< SHA-256 of the files: a changed one is refused
  std::string test_hash;
};

/// Writes the manifest of a split into the folder, whole or not at all; the same split gives the
/// same files. `dataset` has its fingerprint. Throws Error(data) naming a file that cannot be
/// written.
[[nodiscard]] SplitManifest write_split_manifest(const datasets::Dataset& dataset,
                                                 const datasets::Split& split,
                                                 const std::filesystem::path& folder);

/// Puts what a run trains on into `inputs.tasks` and `split_hash`, and into `inputs.load_test` how
/// to read the rest later. Images come from the image cache of the backbone's size, which is there
/// already; so are the originals where the augmentation draws crops. Throws Error(data) naming a
/// sheet that is missing or not the one that was written.
void read_split_manifest(RunInputs& inputs, const SplitManifest& manifest,
                         const std::filesystem::path& cache_dir, unsigned threads,
                         Augmentation augmentation = Augmentation::none);

}  // namespace petlab::engine
