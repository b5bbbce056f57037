#pragma once

#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"
#include "row_columns.hpp"
#include "table_model.hpp"

#include <vector>

/// Domain generalisation: accuracy on a domain that neither trained nor tested.
namespace petlab::reports {

/// Reads the evaluations of the study's runs on the domain that it leaves out: with the adapters
/// that all tasks share, or the mean over the adapters of each task. Where it cannot tell the
/// study's tests from others there is no number, but a note. Does nothing for other studies.
void add_left_out(const results::RunStore& store, Report& report);

/// The column of the domain left out.
void add_left_out_column(RowColumns& columns, const Report& report);

inline constexpr const char* kLeftOutTitle = "Accuracy on the domain left out";

/// Over several studies of which each leaves out another domain: a line a row, a column a domain,
/// and the mean over domains with its interval. Rows and domains as the studies have them. Without
/// rows where fewer than two studies leave out a domain.
TextTable make_left_out_table(const std::vector<Report>& studies);

/// How to read it.
std::vector<std::string> make_left_out_legend(const std::vector<Report>& studies);

}  // namespace petlab::reports
