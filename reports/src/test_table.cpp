#include "test_table.hpp"

#include "column_list.hpp"
#include "numbers.hpp"
#include "row_table.hpp"

#include <algorithm>

namespace petlab::reports {
namespace {

using Against = std::optional<Comparison> Row::*;

std::string p_cell(const Row& row, Against against, std::optional<double> Comparison::* p) {
  if (!(row.*against)) return {};
  const std::optional<double>& value = (*(row.*against)).*p;
  return value ? p_digits(*value) : std::string();
}

void add_comparison(ColumnList<Row>& columns, Column difference, Against against) {
  columns.push_back({.column = std::move(difference), .text = [against](const Row& row) {
                       return difference_text(row.*against, row);
                     }});
  columns.push_back({.column = {.title = "p", .importance = 1}, .text = [against](const Row& row) {
                       return p_cell(row, against, &Comparison::p);
                     }});
  columns.push_back({.column = {.title = "p, Holm"}, .text = [against](const Row& row) {
                       return p_cell(row, against, &Comparison::p_holm);
                     }});
}

ColumnList<Row> test_columns(const Report& report) {
  ColumnList<Row> columns = {
      {.column = {.title = "row",
                  .align = Align::left,
                  .marked = true,
                  .reading =
                      "Differences of means in percentage points with 95 % t-intervals, paired by "
                      "seed. p: paired t-test over seeds; – where there is one seed, or the same "
                      "difference with every seed. p, Holm: corrected for all rows that are "
                      "compared with the same row; * below 0.05."},
       .text = [](const Row& row) { return row.label; }}};
  if (report.zero_shot) add_comparison(columns, {.title = "Δ zero-shot"}, &Row::versus_zero_shot);
  if (report.best) {
    add_comparison(columns,
                   {.title = "Δ best",
                    .reading = "\nbest is row '" + report.rows[*report.best].label +
                               "'. It was picked because of its mean, so its lead is likely to be "
                               "a little smaller than it looks."},
                   &Row::versus_best);
  }
  return columns;
}

}  // namespace

TextTable make_test_table(const Report& report) {
  std::vector<const Row*> compared;
  for (const Row& row : report.rows) {
    if (row.versus_zero_shot || row.versus_best) compared.push_back(&row);
  }
  TextTable table = text_table(test_columns(report), compared);
  std::transform(compared.begin(), compared.end(), table.places.begin(),
                 [](const Row* row) { return row->place; });
  return table;
}

std::vector<std::string> make_test_legend(const Report& report) {
  if (make_test_table(report).rows.empty()) return {};
  return legend_of(test_columns(report));
}

}  // namespace petlab::reports
