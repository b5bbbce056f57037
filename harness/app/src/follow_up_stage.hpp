#pragma once

#include "study_command.hpp"

#include <vector>

namespace petlab::app {

/// Tests the runs of the studies that are done as their studies ask beside the runs' own tests
/// (study/follow_up.hpp), as far as the store has no such evaluation, and says each result in a
/// line. The result is the program's exit code: a test that goes wrong is a failure, a run that is
/// not there none.
[[nodiscard]] int run_follow_ups(const std::vector<PreparedStudy>& studies, const Parsed& options);

}  // namespace petlab::app
