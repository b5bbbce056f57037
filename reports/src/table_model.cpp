#include "table_model.hpp"

#include "numbers.hpp"

#include <algorithm>

namespace petlab::reports {

Place place_of(const TextTable& table, std::size_t row, std::size_t column) {
  if (table.columns[column].marked) return table.places[row];
  return table.cell_places.empty() ? Place::none : table.cell_places[row][column];
}

std::vector<std::string> legend_lines(std::vector<Column> columns) {
  std::stable_sort(columns.begin(), columns.end(), [](const Column& a, const Column& b) {
    return a.reading_place < b.reading_place;
  });
  std::vector<std::string> lines(1);
  for (const Column& column : columns) {
    for (const char c : column.reading) {
      if (c == '\n') {
        lines.emplace_back();
      } else {
        lines.back() += c;
      }
    }
  }
  std::erase(lines, "");
  return lines;
}

std::string points_text(const Estimate& difference) {
  const std::string text = signed_fixed(100.0 * difference.mean, 2);
  if (leaves_range(difference, -1.0, 1.0)) return text + kNoInterval;
  return difference.half_width ? text + " ± " + fixed(100.0 * *difference.half_width, 2) : text;
}

std::string nothing_to_show(const Report& report) {
  if (report.finished > 0) return {};
  const std::string study = "Study '" + report.study + "'";
  if (report.planned == 0) return study + " plans no runs, so there is nothing to report.";
  std::string text = study + " has " + std::to_string(report.planned) +
                     " planned runs and none of them is finished";
  if (!report.failures.empty()) text += " (" + std::to_string(report.failures.size()) + " failed)";
  return text + ": run `petlab run` first.";
}

std::string partition_text(const results::Partition& partition) {
  std::string text;
  for (const auto& group : partition) {
    if (!text.empty()) text += ' ';
    text += '{';
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (i > 0) text += ", ";
      text += group[i];
    }
    text += '}';
  }
  return text;
}

std::string failure_text(const Failure& failure) {
  std::string text = failure.label + ", seed " + std::to_string(failure.seed) + ": " +
                     failure.error + " (" + failure.kind;
  if (failure.attempts > 1) text += ", " + std::to_string(failure.attempts) + " attempts";
  return text + ")";
}

std::string grouping_text(const FoundGrouping& found, bool times) {
  const results::GroupingRecord& grouping = found.grouping;
  std::string text = found.label + ", seed " + std::to_string(found.seed) + ": " +
                     partition_text(grouping.partition) + ", by " + grouping.strategy;
  if (times) text += " in " + seconds(grouping.seconds) + " s";
  if (grouping.affinity.empty()) return text;  // nothing that could be scored
  text += ", score " + fixed(grouping.score, 4);
  if (!grouping.runners_up.empty()) {
    const auto& next = grouping.runners_up.front();
    text += "; next " + partition_text(next.partition) + ", score " + fixed(next.score, 4);
  }
  return text;
}

}  // namespace petlab::reports
