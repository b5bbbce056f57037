#pragma once

#include "table_model.hpp"

#include <string>
#include <vector>

/// Tables of what stands behind the numbers of a study.
namespace petlab::reports {

/// A line a finished run: what it cost, how it was done, its identity. No more than `most` lines.
TextTable make_run_table(const Report& report, std::size_t most);
std::vector<std::string> make_run_legend(const Report& report);

/// A line a setting of the environment: its values and how many runs had each.
TextTable make_environment_table(const Report& report);

/// A line a row whose settings were chosen by a search; without rows where nothing was searched.
TextTable make_search_table(const Report& report);

}  // namespace petlab::reports
