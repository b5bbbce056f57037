#pragma once

#include "petlab/reports/report.hpp"

#include <string>

namespace petlab::reports {

/// What a reader wants to know first, in one or two sentences: the row with the highest mean, by
/// how much it leads the next one and zero-shot (points, 95 % intervals over common seeds), and how
/// many of the other rows without gaps are significantly different from it. "" without finished
/// runs.
std::string study_verdict(const Report& report);

/// The study's own sentence about itself (key `description` of its protocol), or "".
std::string study_description(const Report& report);

}  // namespace petlab::reports
