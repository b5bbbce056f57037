#pragma once

#include "petlab/reports/report.hpp"
#include "table_model.hpp"

#include <nlohmann/json_fwd.hpp>

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

/// The same lines as JSON.
nlohmann::ordered_json table_json(const Report& report);

/// "71.67 ± 7.17" in %, "70.00 (n=1)"; "71.67 (no interval)" where the interval would leave 0 to
/// 100; nothing stands as kNothing.
std::string share_text(const std::optional<Estimate>& share);

/// "+1.20 ± 0.40 *" in percentage points; "(n=2)" is added where fewer seeds could be paired than
/// the row has.
std::string difference_text(const std::optional<Comparison>& comparison, const Row& row);

/// "-1.20 (-2.80 to +0.40) n.s." in percentage points: Row::versus_best with its mark.
std::string best_text(const Row& row, const std::optional<double>& margin);

/// How to read it, in one sentence or more.
std::string best_reading(const Report& report);

/// False where no row has a comparison with the best.
bool has_best_comparisons(const Report& report);

}  // namespace petlab::reports
