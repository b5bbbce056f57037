#include "cross_domain.hpp"

#include "column_list.hpp"
#include "evaluations.hpp"
#include "numbers.hpp"
#include "petlab/reports/statistics.hpp"
#include "protocol_text.hpp"
#include "significance.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace petlab::reports {
namespace {

// By run, task whose adapters it is, and domain: the accuracy.
using TestScores = std::map<std::tuple<std::string, std::string, std::string>, double>;

// On the test images of the run itself: others may be tested with one task's adapters too.
bool is_own_test(const FollowUp& test) {
  const results::RunRecord& tested = test.evaluation;
  return !tested_as(tested).empty() && transfer_target(tested).empty() &&
         tested.dataset_hash == test.run.dataset_hash && tested.split_hash == test.run.split_hash &&
         class_names_of(tested.identity.parts) == test.run_class_names;
}

TestScores tests_by_adapters(const results::RunStore& store, const Report& report) {
  TestScores tested;
  visit_follow_ups(store, report, [&](const FollowUp& test) {
    if (!is_own_test(test)) return;
    for (const results::TaskResult& task : test.evaluation.tasks)
      tested[{*test.evaluation.parent, tested_as(test.evaluation), task.task}] = task.accuracy();
  });
  return tested;
}

// Its lines would repeat the main table. What it keeps for each task is no adapter: names of
// classes in a template.
bool adapts_nothing(const Row& row) {
  return !row.seeds.empty() && is_baseline(row.seeds.front());
}

// Of every seed of the row; nothing where one lacks a domain.
std::optional<CrossDomainLine> line_of(const Report& report, std::size_t row,
                                       const std::string& adapters_of, const TestScores& tested) {
  CrossDomainLine line{.row = row, .adapters_of = adapters_of};
  std::vector<std::vector<double>> on(report.tasks.size());
  std::vector<double> elsewhere;
  for (const SeedResult& seed : report.rows[row].seeds) {
    double others = 0.0;
    for (std::size_t t = 0; t < report.tasks.size(); ++t) {
      const auto found = tested.find({seed.identity.hash, adapters_of, report.tasks[t]});
      if (found == tested.end()) return std::nullopt;
      on[t].push_back(found->second);
      if (report.tasks[t] != adapters_of) others += found->second;
    }
    elsewhere.push_back(others / static_cast<double>(report.tasks.size() - 1));
  }
  if (elsewhere.empty()) return std::nullopt;
  for (const std::vector<double>& accuracies : on)
    line.on.push_back(estimate(accuracies).mean);
  line.elsewhere = estimate(elsewhere);
  return line;
}

ColumnList<CrossDomainLine> columns_of(const Report& report) {
  ColumnList<CrossDomainLine> columns = {
      {.column = {.name = "row", .title = "row", .align = Align::left},
       .value = [&report](const CrossDomainLine& line) { return report.rows[line.row].label; }},
      {.column = {.name = "adapters_of",
                  .title = "adapters of",
                  .align = Align::left,
                  .reading = "Accuracy in % of the adapters of one task on the test images of "
                             "each domain, mean over seeds; [ ] marks the task's own domain, where "
                             "it is the run's own accuracy."},
       .value = [](const CrossDomainLine& line) { return line.adapters_of; }}};
  for (std::size_t t = 0; t < report.tasks.size(); ++t)
    columns.push_back({.column = {.name = "on_" + report.tasks[t], .title = report.tasks[t]},
                       .text =
                           [&report, t](const CrossDomainLine& line) {
                             const std::string text = fixed(100.0 * line.on[t], 2);
                             return line.adapters_of == report.tasks[t] ? "[" + text + "]" : text;
                           },
                       .value = [t](const CrossDomainLine& line) { return line.on[t]; }});
  columns.push_back(
      {.column = {.name = "elsewhere",
                  .title = "elsewhere",
                  .reading = " elsewhere: mean over the domains of the other tasks, then over "
                             "seeds. Rows whose tasks share all adapters, or that adapt nothing, "
                             "are left out: each domain's accuracy stands in the table above."},
       .text = [](const CrossDomainLine& line) { return fixed(100.0 * line.elsewhere.mean, 2); },
       .value = [](const CrossDomainLine& line) { return line.elsewhere.mean; }});
  columns.push_back(
      {.column = {.name = "elsewhere_half_width_95"},
       .value = [](const CrossDomainLine& line) { return CsvValue(line.elsewhere.half_width); }});
  columns.push_back({.column = {.name = "seeds"},
                     .value = [](const CrossDomainLine& line) { return line.elsewhere.n; }});
  return columns;
}

}  // namespace

void add_cross_domain(const results::RunStore& store, Report& report) {
  if (protocol_setting(report.protocol, "dataset", "cross-domain") != "yes" ||
      report.tasks.size() < 2)
    return;
  const TestScores tested = tests_by_adapters(store, report);
  for (std::size_t row = 0; row < report.rows.size(); ++row) {
    if (adapts_nothing(report.rows[row])) continue;
    for (const std::string& task : report.tasks)
      if (auto line = line_of(report, row, task, tested)) report.cross_domain.push_back(*line);
  }
}

TextTable make_cross_domain_table(const Report& report) {
  return text_table(columns_of(report), report.cross_domain);
}

std::vector<std::string> make_cross_domain_legend(const Report& report) {
  if (report.cross_domain.empty()) return {};
  return legend_of(columns_of(report));
}

std::string cross_domain_csv(const Report& report) {
  return csv_file(columns_of(report), report.cross_domain);
}

}  // namespace petlab::reports
