#include "train_size_table.hpp"

#include "column_list.hpp"
#include "numbers.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/results/train_size_label.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::reports {
namespace {

// "71.67 ± 7.17"; no mark, which is of the largest size alone.
std::string estimate_text(const std::optional<Estimate>& mean) {
  if (!mean) return {};
  const std::string text = fixed(100.0 * mean->mean, 2);
  return mean->half_width ? text + " ± " + fixed(100.0 * *mean->half_width, 2) : text + " (n=1)";
}

// Of a line that has finished all that is planned at this size.
std::optional<double> ranked_mean(const TrainSizeLine& line, std::size_t size) {
  const Row* row = line.rows[size];
  return row == nullptr || row->has_gaps() ? std::nullopt : std::optional(row->mean->mean);
}

ColumnList<TrainSizeLine> size_columns(const Report& report) {
  ColumnList<TrainSizeLine> columns = {
      {.column = {.title = "row",
                  .align = Align::left,
                  .reading =
                      "Mean accuracy over domains in %, with the half-width of its two-sided 95 % "
                      "t-interval over seeds. One test set for all sizes, and the images of a "
                      "smaller size are among those of a larger one. A row that trains nothing "
                      "stands in each column."},
       .text = [](const TrainSizeLine& line) { return line.label; }}};
  for (std::size_t s = 0; s < report.train_sizes.size(); ++s)
    columns.push_back({.column = {.title = train_size_text(report.train_sizes[s])},
                       .text =
                           [s](const TrainSizeLine& line) {
                             return line.rows[s] == nullptr ? std::string()
                                                            : estimate_text(line.rows[s]->mean);
                           },
                       .ranked = [s](const TrainSizeLine& line) { return ranked_mean(line, s); }});
  return columns;
}

}  // namespace

std::vector<TrainSizeLine> train_size_lines(const Report& report) {
  std::vector<TrainSizeLine> lines;
  if (report.train_sizes.empty()) return lines;
  for (const Row& row : report.rows) {
    const std::string label = results::parse_train_size_label(row.label).row;
    auto line = std::find_if(lines.begin(), lines.end(),
                             [&](const TrainSizeLine& one) { return one.label == label; });
    if (line == lines.end())
      line = lines.insert(lines.end(), {label, row.sharing, !row.train_size.empty(),
                                        std::vector<const Row*>(report.train_sizes.size())});
    for (std::size_t s = 0; s < report.train_sizes.size(); ++s)
      if (row.train_size.empty() || row.train_size == report.train_sizes[s]) line->rows[s] = &row;
  }
  return lines;
}

TextTable make_train_size_table(const Report& report) {
  return text_table(size_columns(report), train_size_lines(report));
}

std::vector<std::string> make_train_size_legend(const Report& report) {
  if (report.train_sizes.empty()) return {};
  return legend_of(size_columns(report));
}

std::string train_size_text(const std::string& size) {
  const double value = base::parse_number<double>(size).value_or(0.0);
  if (value < 1.0) return base::number_text(std::round(value * 1e6) / 1e4) + " %";
  return size + (size == "1" ? " image" : " images");
}

}  // namespace petlab::reports
