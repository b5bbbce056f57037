#pragma once

#include "command.hpp"

#include <string>
#include <vector>

namespace petlab::app {

/// `petlab clip classify --run`: classifies pictures with the runs of --run out of --store, side by
/// side, and prints the answers as --format says. `labels`: classes in the place of the run's own,
/// where what it trained does not belong to those; empty: its own. Returns the exit code.
int classify_with_runs(const Parsed& options, const std::vector<std::string>& pictures,
                       const std::vector<std::string>& labels);

}  // namespace petlab::app
