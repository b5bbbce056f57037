#pragma once

#include "petlab/reports/report.hpp"
#include "table_model.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

/// The runs of a study. The columns of the page's table, of its legend and of runs.csv are one
/// list, run_columns() in run_table.cpp: a new one is one entry there.
namespace petlab::reports {

/// A line a finished run: what it cost, how it was done, its identity. No more than `most` lines.
/// Columns in which no run has anything are left out.
TextTable make_run_table(const Report& report, std::size_t most);
std::vector<std::string> make_run_legend(const Report& report);

/// runs.csv: a line a run and task; runs without results have one line with their state.
std::string runs_csv(const Report& report);

/// The same lines as JSON.
nlohmann::ordered_json runs_json(const Report& report);

}  // namespace petlab::reports
