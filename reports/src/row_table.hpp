#pragma once

#include "petlab/reports/report.hpp"
#include "table_model.hpp"

#include <optional>
#include <string>
#include <vector>

/// The main table of a study, a line a row. Its columns are one list, row_columns() in
/// row_table.cpp: a new column of the tables, of their legend and of table.csv is one entry there.
namespace petlab::reports {

TextTable make_table(const Report& report);

/// What the columns of make_table() mean.
std::vector<std::string> make_legend(const Report& report);

/// table.csv: numbers in full precision, accuracies as fractions.
std::string table_csv(const Report& report);

/// "71.67 ± 7.17" in %, "70.00 (n=1)"; a row that shares the first place as far as the seeds can
/// say carries the mark.
std::string mean_text(const Row& row);

/// "+1.20 ± 0.40 *" in percentage points; "(n=2)" is added where fewer seeds could be paired than
/// the row has.
std::string difference_text(const std::optional<Comparison>& comparison, const Row& row);

}  // namespace petlab::reports
