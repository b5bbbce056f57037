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

std::string reading_of(const TrainSizes& sizes) {
  return std::string(
             "Mean accuracy over domains in %, with the half-width of its two-sided 95 % "
             "t-interval over seeds. ") +
         (sizes.one_test_set
              ? "One test set for all sizes, and the images of a smaller size are among those of a "
                "larger one. A row that trains nothing stands in each column."
              : "Each size is a study of its own and tests on the images that it does not train "
                "on, so that test images differ from column to column.");
}

ColumnList<TrainSizeLine> size_columns(const TrainSizes& sizes) {
  ColumnList<TrainSizeLine> columns = {
      {.column = {.title = "row", .align = Align::left, .reading = reading_of(sizes)},
       .text = [](const TrainSizeLine& line) { return line.label; }}};
  for (std::size_t s = 0; s < sizes.sizes.size(); ++s)
    columns.push_back({.column = {.title = train_size_text(sizes.sizes[s])},
                       .text =
                           [s](const TrainSizeLine& line) {
                             return line.rows[s] == nullptr ? std::string()
                                                            : estimate_text(line.rows[s]->mean);
                           },
                       .ranked = [s](const TrainSizeLine& line) { return ranked_mean(line, s); }});
  return columns;
}

}  // namespace

TrainSizes train_sizes_of(const Report& report) {
  TrainSizes result;
  result.sizes = report.train_sizes;
  if (result.sizes.empty()) return result;
  for (const Row& row : report.rows) {
    const std::string label = results::parse_train_size_label(row.label).row;
    auto line = std::find_if(result.lines.begin(), result.lines.end(),
                             [&](const TrainSizeLine& one) { return one.label == label; });
    if (line == result.lines.end())
      line =
          result.lines.insert(result.lines.end(), {label, row.sharing, !row.train_size.empty(),
                                                   std::vector<const Row*>(result.sizes.size())});
    for (std::size_t s = 0; s < result.sizes.size(); ++s)
      if (row.train_size.empty() || row.train_size == result.sizes[s]) line->rows[s] = &row;
  }
  return result;
}

TextTable make_train_size_table(const TrainSizes& sizes) {
  return text_table(size_columns(sizes), sizes.lines);
}

TextTable make_train_size_table(const Report& report) {
  return make_train_size_table(train_sizes_of(report));
}

std::vector<std::string> make_train_size_legend(const TrainSizes& sizes) {
  return sizes.lines.empty() ? std::vector<std::string>() : legend_of(size_columns(sizes));
}

std::vector<std::string> make_train_size_legend(const Report& report) {
  return make_train_size_legend(train_sizes_of(report));
}

std::string train_size_text(const std::string& size) {
  const double value = base::parse_number<double>(size).value_or(0.0);
  if (value < 1.0) return base::number_text(std::round(value * 1e6) / 1e4) + " %";
  return size + (size == "1" ? " image" : " images");
}

}  // namespace petlab::reports
