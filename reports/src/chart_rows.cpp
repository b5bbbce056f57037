#include "chart_rows.hpp"

#include "numbers.hpp"

#include <algorithm>
#include <map>

namespace petlab::reports {
namespace {

constexpr std::size_t kRows = 40;
constexpr std::size_t kRuns = 200;
constexpr std::size_t kRunsOfMany = 100;
constexpr std::size_t kGroupings = 50;
constexpr std::size_t kGroupingsOfMany = 20;

// The references first, then from the best mean down; equal means in study order.
std::vector<std::size_t> by_importance(const Report& report) {
  std::vector<std::size_t> order(report.rows.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  const auto weight = [&](std::size_t row) {
    if (row == report.zero_shot || row == report.single_task) return 2.0;  // above any accuracy
    return report.rows[row].mean ? report.rows[row].mean->mean : -1.0;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return weight(a) > weight(b); });
  return order;
}

std::size_t runs_of(const Report& report, const std::vector<std::size_t>& rows, std::size_t seeds) {
  std::size_t runs = 0;
  for (const std::size_t row : rows)
    runs += std::min(seeds, report.rows[row].seeds.size());
  return runs;
}

// How many groupings of each row have a matrix that can be drawn; by the row's label.
std::map<std::string, std::size_t> matrices_of(const Report& report) {
  std::map<std::string, std::size_t> found;
  for (const FoundGrouping& one : report.groupings)
    found[one.label] += one.grouping.affinity.empty() ? 0U : 1U;
  return found;
}

std::vector<std::size_t> rows_with_groupings(const Report& report, const ChartRows& shown) {
  const std::map<std::string, std::size_t> found = matrices_of(report);
  std::size_t all = 0;
  for (const auto& [label, matrices] : found)
    all += matrices;
  const std::size_t most = all <= kGroupings ? kGroupings : kGroupingsOfMany;
  std::vector<std::size_t> rows;
  std::size_t drawn = 0;
  for (const std::size_t row : shown.rows) {
    const auto here = found.find(report.rows[row].label);
    if (here == found.end()) continue;
    drawn += std::min(shown.seeds, here->second);
    if (drawn > most && !rows.empty()) break;
    rows.push_back(row);
  }
  return rows;
}

std::string count_text(std::size_t count) {
  return grouped_digits(static_cast<std::int64_t>(count));
}

}  // namespace

ChartRows chart_rows(const Report& report) {
  ChartRows shown;
  shown.rows = by_importance(report);
  if (shown.rows.size() > kRows) {
    const std::size_t references = (report.zero_shot ? 1U : 0U) + (report.single_task ? 1U : 0U);
    shown.rows.resize(kRows + references);
  }
  std::sort(shown.rows.begin(), shown.rows.end());
  for (const std::size_t row : shown.rows)
    shown.seeds = std::max(shown.seeds, report.rows[row].seeds.size());
  if (runs_of(report, shown.rows, shown.seeds) > kRuns) {
    shown.seeds = std::min(shown.seeds, kRunsOfMany);
    while (shown.seeds > 1 && runs_of(report, shown.rows, shown.seeds) > kRunsOfMany)
      --shown.seeds;
  }
  shown.grouped = rows_with_groupings(report, shown);
  shown.ranks = report.ranked_rows.size() <= kRows;
  return shown;
}

std::string left_out_text(const Report& report, const ChartRows& shown, bool affinity) {
  if (affinity) {
    const std::map<std::string, std::size_t> found = matrices_of(report);
    const auto has_one = [&](const std::string& label) { return found.at(label) > 0; };
    const auto drawn = std::count_if(shown.grouped.begin(), shown.grouped.end(),
                                     [&](auto row) { return has_one(report.rows[row].label); });
    const auto all =
        std::count_if(found.begin(), found.end(), [](const auto& row) { return row.second > 0; });
    if (drawn == all) return {};
    return "Drawn are " + grouped_digits(drawn) + " of the " + grouped_digits(all) +
           " rows that found groups.";
  }
  std::string text;
  if (shown.rows.size() < report.rows.size())
    text = "Drawn are the " + count_text(shown.rows.size()) + " best of " +
           count_text(report.rows.size()) +
           " rows (the rows that others are measured against among them).";
  const bool all = std::all_of(report.rows.begin(), report.rows.end(),
                               [&](const Row& row) { return row.seeds.size() <= shown.seeds; });
  if (!all)
    text += std::string(text.empty() ? "" : " ") + "Single seeds are shown of the first " +
            count_text(shown.seeds) + " of each row; means are over all.";
  return text;
}

}  // namespace petlab::reports
