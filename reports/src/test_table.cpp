#include "numbers.hpp"
#include "table_model.hpp"

namespace petlab::reports {
namespace {

// "0.012" or "< 0.001".
std::string p_cell(const std::optional<double>& p) {
  if (!p) return kNothing;
  const std::string text = p_text(*p);
  return text.substr(text.starts_with("p = ") ? 4 : 2);
}

void add_columns(TextTable& table, const std::string& reference) {
  table.columns.push_back({"Δ " + reference, Align::right, 0, false});
  table.columns.push_back({"p", Align::right, 1, false});
  table.columns.push_back({"p, Holm", Align::right, 0, false});
}

void add_cells(std::vector<std::string>& cells, const std::optional<Comparison>& comparison,
               int row_seeds) {
  cells.push_back(difference_text(comparison, row_seeds));
  cells.push_back(comparison ? p_cell(comparison->p) : kNothing);
  cells.push_back(comparison ? p_cell(comparison->p_holm) : kNothing);
}

}  // namespace

TextTable make_test_table(const Report& report) {
  TextTable table;
  table.columns = {{"row", Align::left, 0, true}};
  if (report.zero_shot) add_columns(table, "zero-shot");
  if (report.best) add_columns(table, "best");
  for (const Row& row : report.rows) {
    if (!row.versus_zero_shot && !row.versus_best) continue;
    const int seeds = static_cast<int>(row.seeds.size());
    std::vector<std::string> cells = {row.label};
    if (report.zero_shot) add_cells(cells, row.versus_zero_shot, seeds);
    if (report.best) add_cells(cells, row.versus_best, seeds);
    table.rows.push_back(std::move(cells));
    table.places.push_back(row.place);
  }
  return table;
}

std::vector<std::string> make_test_legend(const Report& report) {
  if (make_test_table(report).rows.empty()) return {};
  std::vector<std::string> legend = {
      "Differences of means in percentage points with 95 % t-intervals, paired by seed. p: paired "
      "t-test over seeds; – where there is one seed, or the same difference with every seed. "
      "p, Holm: corrected for all rows that are compared with the same row; * below 0.05."};
  if (report.best) {
    legend.push_back("best is row '" + report.rows[*report.best].label +
                     "'. It was picked because of its mean, so its lead is likely to be a little "
                     "smaller than it looks.");
  }
  return legend;
}

}  // namespace petlab::reports
