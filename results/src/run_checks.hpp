#pragma once

#include "petlab/results/record.hpp"

#include <chrono>
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

/// The identity of a run, a text that names its worker, and a time of at least 1 ms.
void check_lease(const std::filesystem::path& path, const std::string& identity,
                 const std::string& owner, std::chrono::milliseconds ttl);

}  // namespace petlab::results
