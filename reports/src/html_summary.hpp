#pragma once

#include "petlab/reports/report.hpp"

#include <string>

/// What a study's part of the page begins with, and what a reader of the table has to know.
namespace petlab::reports {

/// The study's description, the verdict, and what makes its numbers wrong.
std::string verdict_html(const Report& report);

/// Notes by grade, and what was equal for all rows: folded, as the verdict comes first. Without the
/// faults, which verdict_html() has.
std::string notes_html(const Report& report);

}  // namespace petlab::reports
