#pragma once

#include "csv_line.hpp"
#include "table_model.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// Columns of tables and CSV files, each said once: a list of them and the lines make the table
/// that all renderers show, its legend, and the CSV file.
namespace petlab::reports {

/// A column over lines of one kind.
template <class Line>
struct ColumnOf {
  Column column = {};
  /// The cell in tables; "" where there is nothing. Absent: the text of `value`.
  std::function<std::string(const Line&)> text = {};
  /// The field in CSV files. Absent only without a name.
  std::function<CsvValue(const Line&)> value = {};
  /// Where there is one: the number by which best and second best cell of the column are marked;
  /// nothing for lines that take no part.
  std::function<std::optional<double>(const Line&)> ranked = {};
};

template <class Line>
using ColumnList = std::vector<ColumnOf<Line>>;

/// A line of a list of lines, or of a list of pointers to them.
template <class Line>
const Line& line_at(const Line& line) {
  return line;
}
template <class Line>
const Line& line_at(const Line* line) {
  return *line;
}

template <class Line>
std::string cell_text(const ColumnOf<Line>& column, const Line& line) {
  return column.text ? column.text(line) : column.value(line).text();
}

/// Best and second best cell of a column whose numbers are ranked; equal numbers share a place, and
/// a single number has none.
template <class Line, class Lines>
std::vector<Place> ranked_places(const ColumnOf<Line>& column, const Lines& lines) {
  std::vector<Place> places(lines.size(), Place::none);
  std::set<double, std::greater<>> values;
  for (const auto& line : lines) {
    if (const auto value = column.ranked(line_at<Line>(line))) values.insert(*value);
  }
  if (values.size() < 2) return places;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto value = column.ranked(line_at<Line>(lines[i]));
    if (value == *values.begin()) places[i] = Place::best;
    if (value == *std::next(values.begin())) places[i] = Place::second;
  }
  return places;
}

/// The columns that have a title, over the lines. No line has a place.
template <class Line, class Lines>
TextTable text_table(const ColumnList<Line>& columns, const Lines& lines) {
  TextTable table;
  table.rows.resize(lines.size());
  table.places.resize(lines.size(), Place::none);
  for (const ColumnOf<Line>& column : columns) {
    if (column.column.title.empty()) continue;
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      std::string cell = cell_text(column, line_at<Line>(lines[i]));
      table.rows[i].push_back(cell.empty() ? kNothing : std::move(cell));
    }
    if (column.ranked) {
      const std::vector<Place> places = ranked_places(column, lines);
      table.cell_places.resize(lines.size());
      for (std::size_t i = 0; i < places.size(); ++i) {
        table.cell_places[i].resize(table.columns.size(), Place::none);
        table.cell_places[i].push_back(places[i]);
      }
    }
    table.columns.push_back(column.column);
  }
  for (std::vector<Place>& places : table.cell_places)
    places.resize(table.columns.size(), Place::none);
  return table;
}

/// The columns that have a name, a line each.
template <class Line, class Lines>
std::string csv_file(const ColumnList<Line>& columns, const Lines& lines) {
  std::vector<CsvValue> fields;
  for (const ColumnOf<Line>& column : columns) {
    if (!column.column.name.empty()) fields.emplace_back(column.column.name);
  }
  std::string text = csv_line(fields);
  for (const auto& line : lines) {
    fields.clear();
    for (const ColumnOf<Line>& column : columns) {
      if (!column.column.name.empty()) fields.push_back(column.value(line_at<Line>(line)));
    }
    text += csv_line(fields);
  }
  return text;
}

/// How to read the columns that have a title: Column::reading of all of them, in lines.
template <class Line>
std::vector<std::string> legend_of(const ColumnList<Line>& columns) {
  std::vector<Column> titled;
  for (const ColumnOf<Line>& column : columns) {
    if (!column.column.title.empty()) titled.push_back(column.column);
  }
  return legend_lines(std::move(titled));
}

}  // namespace petlab::reports
