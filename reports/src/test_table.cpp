#include "test_table.hpp"

#include "column_list.hpp"
#include "numbers.hpp"
#include "row_table.hpp"

#include <algorithm>

namespace petlab::reports {
namespace {

std::string p_cell(const Row& row, std::optional<double> Comparison::* p) {
  if (!row.versus_zero_shot) return {};
  const std::optional<double>& value = (*row.versus_zero_shot).*p;
  return value ? p_digits(*value) : std::string();
}

ColumnList<Row> test_columns(const Report& report) {
  ColumnList<Row> columns = {
      {.column = {.title = "row",
                  .align = Align::left,
                  .marked = true,
                  .reading = "Differences of means in percentage points, paired by seed."},
       .text = [](const Row& row) { return row.label; }}};
  if (report.zero_shot) {
    columns.push_back(
        {.column =
             {.title = "Δ zero-shot",
              .reading =
                  " Δ zero-shot: with 95 % t-intervals that hold for all rows "
                  "together. p: paired t-test over seeds; – where there is one seed, "
                  "or the same difference with every seed. p, Bonferroni: times the "
                  "number of rows that have a p; * below 0.05, where the interval leaves out 0, "
                  "n.s. otherwise."},
         .text = [](const Row& row) { return difference_text(row.versus_zero_shot, row); }});
    columns.push_back({.column = {.title = "p", .importance = 1},
                       .text = [](const Row& row) { return p_cell(row, &Comparison::p); }});
    columns.push_back({.column = {.title = "p, Bonferroni"}, .text = [](const Row& row) {
                         return p_cell(row, &Comparison::p_bonferroni);
                       }});
  }
  if (has_best_comparisons(report)) {
    columns.push_back({.column = {.title = "Δ best", .reading = "\n" + best_reading(report)},
                       .text = [margin = report.equivalence_margin](const Row& row) {
                         return best_text(row, margin);
                       }});
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
