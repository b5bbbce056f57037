#include "transfer.hpp"

#include "evaluations.hpp"
#include "petlab/results/named_values.hpp"
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
using Tested = std::map<std::string, TestedRuns>;

Tested read_evaluations(const results::RunStore& store) {
  Tested tested;
  visit_evaluations(store, [&](const results::RunRecord& run) {
    const std::string target = results::value_of(run.environment, results::environment::kTransfer);
    if (!target.empty()) tested[target][*run.parent][tested_as(run)] = run.mean_accuracy();
  });
  return tested;
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
  Tested tested = read_evaluations(store);
  for (Row& row : report.rows)
    for (const std::string& target : report.transfer_targets)
      row.transfer.push_back(
          over_seeds(row, tested_seeds(row, tested[target], report.tasks.size())));
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
