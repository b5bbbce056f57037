#include "cross_domain.hpp"

#include "column_list.hpp"
#include "evaluations.hpp"
#include "numbers.hpp"
#include "petlab/reports/statistics.hpp"
#include "protocol_text.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace petlab::reports {
namespace {

// By run, task whose adapters it is, and domain: the accuracy.
using Tested = std::map<std::tuple<std::string, std::string, std::string>, double>;

// On the test images of the run itself: anything else may be tested with one task's adapters too.
using TestImages = std::map<std::string, std::pair<std::string, std::string>>;

TestImages test_images(const Report& report) {
  TestImages images;
  for (const Row& row : report.rows)
    for (const SeedResult& seed : row.seeds)
      images[seed.identity.hash] = {seed.dataset_hash, seed.split_hash};
  return images;
}

Tested read_evaluations(const results::RunStore& store, const TestImages& images) {
  Tested tested;
  visit_evaluations(store, [&](const results::RunRecord& run) {
    const std::string adapters_of = tested_as(run);
    const auto own = images.find(*run.parent);
    if (adapters_of.empty() || own == images.end() ||
        own->second != std::pair(run.dataset_hash, run.split_hash))
      return;
    for (const results::TaskResult& task : run.tasks)
      tested[{*run.parent, adapters_of, task.task}] = task.accuracy();
  });
  return tested;
}

// Of every seed of the row; nothing where one lacks a domain.
std::optional<CrossDomainLine> line_of(const Report& report, std::size_t row,
                                       const std::string& adapters_of, const Tested& tested) {
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
                             "seeds. Rows whose tasks share all adapters are left out: each "
                             "domain's accuracy stands in the table above."},
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
  const Tested tested = read_evaluations(store, test_images(report));
  for (std::size_t row = 0; row < report.rows.size(); ++row)
    for (const std::string& task : report.tasks)
      if (auto line = line_of(report, row, task, tested)) report.cross_domain.push_back(*line);
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
