#pragma once

#include "petlab/results/record.hpp"

#include <filesystem>

/// Refusals of records that contradict themselves. Each throws Error(store) with one sentence that
/// names the file, the run or study, and the value.
namespace petlab::results {

/// What can be checked without the split.
void check_run(const std::filesystem::path& path, const RunRecord& run);

/// A finished run against its split: every task once, one prediction a test image, and n_correct as
/// the predictions and the labels give it.
void check_against_split(const std::filesystem::path& path, const RunRecord& run,
                         const SplitRecord& split);

void check_split(const std::filesystem::path& path, const SplitRecord& split);

void check_study(const std::filesystem::path& path, const StudyRecord& study);

}  // namespace petlab::results
