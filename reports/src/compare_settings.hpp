#pragma once

#include "petlab/reports/compare.hpp"

#include <utility>
#include <vector>

namespace petlab::reports {

/// Runs that are set against each other.
using RunPair = std::pair<const results::RunRecord*, const results::RunRecord*>;

/// Fills in CompareResult::settings and equal_settings: what decided the results (the parts of the
/// identities, but for the seed where all pairs share it) and on which machine.
void compare_settings(CompareResult& result, const std::vector<RunPair>& pairs);

}  // namespace petlab::reports
