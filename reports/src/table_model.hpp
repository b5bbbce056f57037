#pragma once

#include "petlab/reports/report.hpp"

#include <string>
#include <vector>

/// Tables as text, and the words that all renderers share.
namespace petlab::reports {

enum class Align { left, right };

/// What is said of a column, once for all that shows it.
struct Column {
  std::string name = {};   // in CSV files; "": it is in tables alone
  std::string title = {};  // in tables; "": it is in CSV files alone
  std::string unit = {};   // of the cells in tables; stands behind the title
  Align align = Align::right;
  int importance = 0;     // 0: never left out; the larger, the sooner it is
  bool marked = false;    // shows the row's place
  bool optional = false;  // in tables only where Report::columns has its name
  /// How to read it: goes on in the line of the legend that the column before ended, a line break
  /// starts a new one. Readings of a larger place come after all of a smaller one.
  std::string reading = {};
  int reading_place = 0;

  /// Title and unit: "train s".
  std::string heading() const { return unit.empty() ? title : title + " " + unit; }
};

inline constexpr const char* kNothing = "–";  // an empty cell
// After a difference. A row has one of them: what is only not significant is not equal.
inline constexpr const char* kRealMark = " *";        // significant
inline constexpr const char* kNotRealMark = " n.s.";  // not significant
inline constexpr const char* kEquivalentMark = " ≈";  // shown to be within the margin
inline constexpr const char* kNoInterval = " (no interval)";

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

/// The readings of the columns in lines.
std::vector<std::string> legend_lines(std::vector<Column> columns);

/// "+1.20 ± 0.40" in percentage points; without the interval where there is none, and "+1.20 (no
/// interval)" where it would leave -100 to 100.
std::string points_text(const Estimate& difference);

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
