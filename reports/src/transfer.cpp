#include "transfer.hpp"

#include "evaluations.hpp"
#include "protocol_text.hpp"
#include "row_table.hpp"

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace petlab::reports {
namespace {

// By data set.
using Tests = std::map<std::string, ColumnTests>;

Tests tests_by_target(const results::RunStore& store, const Report& report) {
  Tests tests;
  visit_follow_ups(store, report, [&](const FollowUp& test) {
    const std::string target = transfer_target(test.evaluation);
    if (!target.empty()) tests[target].add(test.evaluation);
  });
  return tests;
}

std::string ambiguity_note(const std::vector<std::string>& targets) {
  std::string names;
  for (const std::string& target : targets)
    names += (names.empty() ? "'" : ", '") + target + "'";
  return "No accuracy is shown on " + names + ": in this store " +
         (targets.size() == 1 ? "the name stands" : "each of these names stands") +
         " for several data sets or splits that these runs were tested on. Give the files of "
         "transfer in [dataset] other names and run the study again.";
}

// "setting" of "/data/setting.ini", of each file of the list.
std::vector<std::string> names_of(const std::string& files) {
  std::vector<std::string> names;
  std::istringstream list(files);
  for (std::string file; std::getline(list, file, ',');)
    names.push_back(std::filesystem::path(file).stem().string());
  return names;
}

}  // namespace

void add_transfer(const results::RunStore& store, Report& report) {
  report.transfer_targets =
      names_of(protocol_setting(report.protocol, "dataset", "transfer").value_or(""));
  if (report.transfer_targets.empty()) return;
  Tests tests = tests_by_target(store, report);
  std::vector<std::string> ambiguous;
  for (const std::string& target : report.transfer_targets) {
    if (tests[target].is_ambiguous()) ambiguous.push_back(target);
    const TestedRuns tested = tests[target].tested();
    for (Row& row : report.rows)
      row.transfer.push_back(over_seeds(row, tested_seeds(row, tested, report.tasks.size())));
  }
  if (!ambiguous.empty()) report.notes.emplace_back(ambiguity_note(ambiguous));
}

void add_transfer_columns(RowColumns& columns, const Report& report) {
  std::string reading =
      "\nDomains and mean are of the data set that the runs were trained on; on NAME: accuracy on "
      "the test images of another one, with its own classes, mean over its domains, then over "
      "seeds: of the adapters that all tasks share, or the mean over those of each task.";
  for (std::size_t i = 0; i < report.transfer_targets.size(); ++i) {
    const std::string& target = report.transfer_targets[i];
    const auto accuracy = [i](const Row& row) {
      return i < row.transfer.size() ? row.transfer[i] : std::optional<Estimate>();
    };
    add_estimate(columns,
                 {.column = {.name = "transfer " + target,
                             .title = "on " + target,
                             .unit = "% ± 95 %",
                             .reading = std::exchange(reading, {})},
                  .text = [accuracy](const Row& row) { return share_text(accuracy(row)); }},
                 "transfer_half_width_95 " + target, "transfer_n " + target, accuracy);
  }
}

}  // namespace petlab::reports
