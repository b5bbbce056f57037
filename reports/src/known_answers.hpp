#pragma once

#include "petlab/reports/report.hpp"
#include "table_model.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

/// Known answers: published numbers that these runs should come to, within a stated distance.
namespace petlab::reports {

/// True if a quoted number of the report says within what it is to be met.
bool has_known_answers(const Report& report);

/// A line for each quoted number that says within what it is to be met (QuotedNumber::within), in
/// the order of rows: published, measured, and "met", "not met" or "not run", which a row is whose
/// planned runs are not all finished. Without rows where there is none.
TextTable make_known_answers_table(const Report& report);

/// How to read it, and how many are met; empty without a table.
std::vector<std::string> make_known_answers_legend(const Report& report);

/// The same as a CSV file; only its header without a table.
std::string known_answers_csv(const Report& report);

/// The same as an array of objects.
nlohmann::ordered_json known_answers_json(const Report& report);

}  // namespace petlab::reports
