#pragma once

#include "petlab/reports/report.hpp"

#include <string>
#include <vector>

/// The words and digits of the table, shared by the renderers.
namespace petlab::reports {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::right;
  int importance = 0;   // 0: never left out; the larger, the sooner it is
  bool marked = false;  // shows the row's place
};

inline constexpr const char* kNothing = "–";         // an empty cell
inline constexpr const char* kRealMark = " *";       // after a difference that is significant
inline constexpr const char* kAmongBestMark = " ≈";  // after a mean that may as well be the best

struct TextTable {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<Place> places;  // of the rows
  /// Of single cells, in columns that are not marked: best and second best of the column. Empty, or
  /// as large as `rows`.
  std::vector<std::vector<Place>> cell_places = {};
};

/// How a cell is to be marked.
Place place_of(const TextTable& table, std::size_t row, std::size_t column);

TextTable make_table(const Report& report);

/// Differences to the zero-shot row and to the best row with their p values; without rows where
/// there is nothing to compare.
TextTable make_test_table(const Report& report);

/// What its columns mean; empty without rows.
std::vector<std::string> make_test_legend(const Report& report);

/// "71.67 ± 7.17" in %, "70.00 (n=1)"; a row that shares the first place as far as the seeds can
/// say carries the mark.
std::string mean_text(const Row& row);

/// "+1.20 ± 0.40 *" in percentage points; "(n=2)" is added where fewer seeds could be paired than
/// the row has.
std::string difference_text(const std::optional<Comparison>& comparison, int row_seeds);

/// What the columns of make_table() mean, one sentence an item.
std::vector<std::string> make_legend(const Report& report);

/// The one sentence for a study without finished runs; "" for others.
std::string nothing_to_show(const Report& report);

/// "{line, solid} {flat} {emoji}".
std::string partition_text(const results::Partition& partition);

/// "mmap-grouped, seed 2, out of memory (numeric, 2 attempts)".
std::string failure_text(const Failure& failure);

/// "mmap-grouped, seed 2: {line} {emoji}, by gradient in 1.5 s, score 0.12; next ...", without the
/// seconds where the report has no times.
std::string grouping_text(const FoundGrouping& found, bool times);

}  // namespace petlab::reports
