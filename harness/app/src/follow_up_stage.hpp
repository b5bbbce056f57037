#pragma once

#include "study_command.hpp"

#include <vector>

namespace petlab::app {

/// The last stage of a study on base classes: tests the adapters of its finished runs on the new
/// classes, as far as the store lacks that, and stores each test as an evaluation. Says on standard
/// output what it does, and on stderr what failed; the result is the program's exit code. Does
/// nothing for other studies.
[[nodiscard]] int test_new_classes(const std::vector<PreparedStudy>& studies,
                                   const Parsed& options);

}  // namespace petlab::app
