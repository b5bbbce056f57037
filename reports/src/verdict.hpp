#pragma once

#include "petlab/reports/report.hpp"

#include <string>

namespace petlab::reports {

/// What a reader wants to know first, in one or two sentences: the row with the highest mean, by
/// how much it leads the next one (points, with Hsu's 95 % interval to the best of the others) and
/// zero-shot, and how many of the other rows without gaps are significantly below the best. ""
/// without finished runs.
std::string study_verdict(const Report& report);

/// The study's own sentence about itself (key `description` of its protocol), or "".
std::string study_description(const Report& report);

}  // namespace petlab::reports
