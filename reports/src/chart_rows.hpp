#pragma once

#include "petlab/reports/report.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace petlab::reports {

/// What of a large study its charts show: a chart of a thousand rows says nothing, and drawing it
/// would take minutes. Tables and CSV files have everything.
struct ChartRows {
  std::vector<std::size_t> rows;     // of the report, in study order
  std::size_t seeds = 0;             // of each row: its first ones
  std::vector<std::size_t> grouped;  // those of the rows whose groupings are drawn
  bool ranks = true;                 // there are few enough ranked rows for their diagram
};

/// Everything of a study of up to 40 rows, 200 runs and 50 found groupings. Of a larger one: the
/// zero-shot and the single-task row and the best 40 by their mean, as many seeds of each as keeps
/// 100 runs (one at least), and about 20 groupings, of the first rows that have some.
ChartRows chart_rows(const Report& report);

/// What was left out, as a sentence; "" for nothing. `affinity`: said of the groupings' charts.
std::string left_out_text(const Report& report, const ChartRows& shown, bool affinity);

}  // namespace petlab::reports
