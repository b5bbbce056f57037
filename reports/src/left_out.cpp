#include "left_out.hpp"

#include "evaluations.hpp"
#include "numbers.hpp"
#include "petlab/reports/statistics.hpp"
#include "petlab/results/named_values.hpp"
#include "protocol_text.hpp"
#include "row_table.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace petlab::reports {
namespace {

// The domain has a fingerprint of its own, so that nothing ties its images to those of the runs:
// tests on the domain of that name in two data sets are ambiguous.
ColumnTests left_out_tests(const results::RunStore& store, const Report& report) {
  const std::string data_set_name =
      protocol_setting(report.protocol, "dataset", "name").value_or("");
  ColumnTests all, named_alike;
  bool some_are_named_alike = false;
  visit_follow_ups(store, report, [&](const FollowUp& test) {
    const results::RunRecord& run = test.evaluation;
    if (run.tasks.size() != 1 || run.tasks.front().task != report.left_out ||
        !transfer_target(run).empty() ||
        results::value_of(run.protocol, "dataset") != data_set_name ||
        !has_split_settings_of(run, report.protocol))
      return;
    const std::string names = class_names_of(run.identity.parts);
    if (names.empty() != test.run_class_names.empty()) return;
    all.add(run);
    // The digest is over the classes as well: it is equal where the domain has those of the others
    // and they are called alike, and then none of the study's tests has another one.
    if (names != test.run_class_names) return;
    named_alike.add(run);
    some_are_named_alike = true;
  });
  return some_are_named_alike ? named_alike : all;
}

// One row over the studies.
struct Line {
  std::string label;
  std::vector<const Row*> rows;  // of each study; null where it has none
};

std::vector<const Report*> leaving_out(const std::vector<Report>& studies) {
  std::vector<const Report*> some;
  for (const Report& study : studies)
    if (!study.left_out.empty()) some.push_back(&study);
  return some;
}

std::vector<Line> lines_of(const std::vector<const Report*>& studies) {
  std::vector<Line> lines;
  for (std::size_t s = 0; s < studies.size(); ++s)
    for (const Row& row : studies[s]->rows) {
      auto line = std::find_if(lines.begin(), lines.end(),
                               [&](const Line& one) { return one.label == row.label; });
      if (line == lines.end())
        line = lines.insert(lines.end(), {row.label, std::vector<const Row*>(studies.size())});
      line->rows[s] = &row;
    }
  return lines;
}

// Mean over domains of each seed that all studies have, then over seeds.
std::optional<Estimate> mean_of(const Line& line) {
  std::map<std::uint64_t, std::vector<double>> by_seed;
  for (const Row* row : line.rows) {
    if (row == nullptr || row->left_out_by_seed.empty()) return std::nullopt;
    for (const auto& [seed, accuracy] : row->left_out_by_seed)
      by_seed[seed].push_back(accuracy);
  }
  std::vector<double> means;
  for (const auto& [seed, accuracies] : by_seed) {
    if (accuracies.size() != line.rows.size()) return std::nullopt;
    double sum = 0.0;
    for (const double accuracy : accuracies)
      sum += accuracy;
    means.push_back(sum / static_cast<double>(accuracies.size()));
  }
  return estimate(means);
}

ColumnList<Line> columns_of(const std::vector<const Report*>& studies) {
  ColumnList<Line> columns = {
      {.column = {.title = "row",
                  .align = Align::left,
                  .reading = "Accuracy in % on the test images of the domain that was left out of "
                             "training, mean over seeds. Where tasks have adapters of their own it "
                             "is the mean over the adapters of each of them."},
       .text = [](const Line& line) { return line.label; }}};
  for (std::size_t s = 0; s < studies.size(); ++s) {
    const auto accuracy = [s](const Line& line) {
      const Row* row = line.rows[s];
      return row != nullptr && row->left_out ? std::optional(row->left_out->mean) : std::nullopt;
    };
    columns.push_back({.column = {.title = studies[s]->left_out},
                       .text =
                           [accuracy](const Line& line) {
                             const auto share = accuracy(line);
                             return share ? fixed(100.0 * *share, 2) : std::string();
                           },
                       .ranked = accuracy});
  }
  columns.push_back({.column = {.title = "mean",
                                .unit = "% ± 95 %",
                                .reading = " mean: over domains, then over seeds."},
                     .text = [](const Line& line) { return share_text(mean_of(line)); },
                     .ranked =
                         [](const Line& line) {
                           const auto mean = mean_of(line);
                           return mean ? std::optional(mean->mean) : std::nullopt;
                         }});
  return columns;
}

}  // namespace

void add_left_out(const results::RunStore& store, Report& report) {
  report.left_out = protocol_setting(report.protocol, "dataset", "leave-out").value_or("");
  if (report.left_out.empty()) return;
  const ColumnTests tests = left_out_tests(store, report);
  if (tests.is_ambiguous())
    report.notes.push_back(
        ambiguous_tests_note(report.left_out + ", which was left out",
                             "several data sets or splits that have a domain of this name"));
  const TestedRuns tested = tests.tested();
  for (Row& row : report.rows) {
    const auto seeds = tested_seeds(row, tested, report.tasks.size());
    row.left_out_by_seed = {seeds.begin(), seeds.end()};
    row.left_out = over_seeds(row, seeds);
  }
}

void add_left_out_column(RowColumns& columns, const Report& report) {
  if (report.left_out.empty()) return;
  add_estimate(columns,
               {.column = {.name = "left_out_accuracy",
                           .title = "on " + report.left_out,
                           .unit = "% ± 95 %",
                           .reading = "\nDomains and mean are of the domains that the runs were "
                                      "trained on; on " +
                                      report.left_out +
                                      ": accuracy on the domain left out of training, of the "
                                      "adapters that all tasks share, or the mean over those of "
                                      "each task."},
                .text = [](const Row& row) { return share_text(row.left_out); }},
               "left_out_half_width_95", "left_out_n", [](const Row& row) { return row.left_out; });
}

TextTable make_left_out_table(const std::vector<Report>& studies) {
  const auto some = leaving_out(studies);
  if (some.size() < 2) return {};
  return text_table(columns_of(some), lines_of(some));
}

std::vector<std::string> make_left_out_legend(const std::vector<Report>& studies) {
  const auto some = leaving_out(studies);
  if (some.size() < 2) return {};
  return legend_of(columns_of(some));
}

}  // namespace petlab::reports
