#pragma once

#include "petlab/reports/compare.hpp"

#include <string>

namespace petlab::reports {

/// Is the difference real? The question is put to the test that was meant for it before anything
/// was looked at: the paired t-test over seeds, or, where there is one pair of runs, the bootstrap
/// over pictures. The other tests are named beside it and never chosen for their p.
std::string verdict_of(const CompareResult& result);

/// "0.8 to 1.6" of an interval in percentage points.
std::string interval_text(double low, double high);

}  // namespace petlab::reports
