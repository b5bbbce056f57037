#pragma once

#include "petlab/reports/report.hpp"
#include "table_model.hpp"

/// Tables of what stands behind the numbers of a study.
namespace petlab::reports {

/// A line a setting of the environment: its values and how many runs had each.
TextTable make_environment_table(const Report& report);

/// A line a row whose settings were chosen by a search; without rows where nothing was searched.
TextTable make_search_table(const Report& report);

}  // namespace petlab::reports
