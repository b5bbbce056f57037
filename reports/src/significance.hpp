#pragma once

#include "petlab/reports/report.hpp"

#include <string>

namespace petlab::reports {

/// Gives places to the rows whose planned runs are all finished, and sets Report::best.
void add_places(Report& report);

/// Fills in everything that sets rows against each other: differences to zero-shot and to the best
/// row with their tests, multi-task gain, ranks, collapsed seeds. Needs places.
void add_comparisons(Report& report);

/// True for a run of the backbone as it is. One that does not say what its method is, but trained
/// nothing, is taken for one.
bool is_baseline(const SeedResult& seed);

/// " among rows without gaps" where a row with gaps has a higher mean than the best; else "".
std::string among_ranked(const Report& report);

/// Adds what a reader must know about seeds, tests and ranks to the notes.
void add_statistical_notes(Report& report);

}  // namespace petlab::reports
