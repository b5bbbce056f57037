#pragma once

#include "petlab/results/record.hpp"

#include <string>

namespace petlab::results {

/// Compares a finished run with a repeat of it. The level that they reach together:
/// - "bit-equal": trained weights, losses, predicted classes and stored probabilities are the same;
/// - "same-kernel": every test image gets the same class, though weights or probabilities differ;
/// - "statistical": some class differs.
/// `time` and `environment` are the repeat's. Throws Error(internal) unless both are finished runs
/// of one identity.
VerificationRecord compare_repeat(const RunRecord& run, const RunRecord& repeat);

/// What a repeat of the run must reach: RunRecord::determinism, which holds for one CPU level
/// (environment::kCpuLevel). On another level last bits differ, and training may carry that into a
/// class: "statistical".
std::string claim_for_repeat(const RunRecord& run, const RunRecord& repeat);

/// True when `reached` keeps what `claimed` (RunRecord::determinism) promises.
bool keeps(const std::string& reached, const std::string& claimed);

}  // namespace petlab::results
