#pragma once

#include "petlab/reports/report.hpp"
#include "table_model.hpp"

#include <string>
#include <vector>

namespace petlab::reports {

/// Differences to the zero-shot row and to the best row with their p values; without rows where
/// there is nothing to compare.
TextTable make_test_table(const Report& report);

/// What its columns mean; empty without rows.
std::vector<std::string> make_test_legend(const Report& report);

}  // namespace petlab::reports
