#pragma once

#include "petlab/results/run_store.hpp"

#include <filesystem>

/// Records of the shape that a real study leaves, for the benchmarks of the store and the reports.
namespace petlab::bench {

/// A split of 4 tasks with 65 classes and `images` test images each.
results::SplitRecord growth_split(std::uint64_t seed, std::int64_t images);

/// The study of `runs` planned runs, 10 seeds a row; the first row is zero-shot.
results::StudyRecord growth_study(int runs, std::int64_t images);

/// The `number`-th planned run, finished: 20 epochs, 4 tasks; every fourth row has found groups.
results::RunRecord growth_run(int number, std::int64_t images);

/// Fills the store with the other runs of the study: copies of its first `recorded` runs under the
/// planned identities, in one transaction.
void copy_runs(const std::filesystem::path& store, const results::StudyRecord& study, int recorded);

}  // namespace petlab::bench
