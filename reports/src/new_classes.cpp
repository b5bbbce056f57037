#include "new_classes.hpp"

#include "evaluations.hpp"
#include "petlab/reports/statistics.hpp"
#include "petlab/results/named_values.hpp"
#include "protocol_text.hpp"
#include "row_table.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace petlab::reports {
namespace {

std::string all_classes(const results::RunRecord& run) {
  return results::value_of(run.environment, results::environment::kAllClasses);
}

bool has_tasks_of(const results::RunRecord& a, const results::RunRecord& b) {
  return std::equal(a.tasks.begin(), a.tasks.end(), b.tasks.begin(), b.tasks.end(),
                    [](const auto& one, const auto& other) { return one.task == other.task; });
}

// On the new classes of the data set, domains and split of the run.
bool is_own_test(const FollowUp& test, const std::string& protocol) {
  const results::RunRecord& tested = test.evaluation;
  return results::value_of(tested.protocol, "dataset.classes") == "new" &&
         tested_as(tested).empty() && transfer_target(tested).empty() &&
         all_classes(tested) == all_classes(test.run) && has_tasks_of(tested, test.run) &&
         class_names_of(tested.identity.parts) == test.run_class_names &&
         has_split_settings_of(tested, protocol, "classes");
}

ColumnTests new_class_tests(const results::RunStore& store, const Report& report) {
  ColumnTests tests;
  visit_follow_ups(store, report, [&](const FollowUp& test) {
    if (is_own_test(test, report.protocol)) tests.add(test.evaluation);
  });
  return tests;
}

// 0 where both are.
double harmonic(double a, double b) {
  return a + b > 0.0 ? 2.0 * a * b / (a + b) : 0.0;
}

void add_share(RowColumns& columns, Column column, std::optional<Estimate> Row::* member) {
  const std::string name = column.name;
  column.unit = "% ± 95 %";
  add_estimate(columns,
               {.column = std::move(column),
                .text = [member](const Row& row) { return share_text(row.*member); }},
               name + "_half_width_95", name + "_n",
               [member](const Row& row) { return row.*member; });
}

}  // namespace

void add_new_classes(const results::RunStore& store, Report& report) {
  if (protocol_setting(report.protocol, "dataset", "classes") != "base") return;
  const ColumnTests tests = new_class_tests(store, report);
  if (tests.is_ambiguous())
    report.notes.push_back(ambiguous_tests_note("the new classes", "several splits of them"));
  const TestedRuns tested = tests.tested();
  for (Row& row : report.rows) {
    std::vector<double> of_new, harmonics;
    for (const SeedResult& seed : row.seeds) {
      const auto found = tested.find(seed.identity.hash);
      if (found == tested.end()) continue;
      const double accuracy = found->second.at("");
      of_new.push_back(accuracy);
      harmonics.push_back(harmonic(seed.mean_accuracy(), accuracy));
    }
    if (of_new.empty() || of_new.size() != row.seeds.size()) continue;
    row.new_classes = estimate(of_new);
    row.harmonic_mean = estimate(harmonics);
    report.tests_new_classes = true;
  }
}

void add_new_class_columns(RowColumns& columns, const Report& report) {
  if (!report.tests_new_classes) return;
  add_share(
      columns,
      {.name = "new_accuracy",
       .title = "new",
       .reading = "\nDomains and mean are accuracies on the base classes, which the runs were "
                  "trained on; new: on the other classes with the same adapters, mean over "
                  "domains, then over seeds;"},
      &Row::new_classes);
  add_share(columns,
            {.name = "harmonic_mean",
             .title = "H",
             .reading = " H: harmonic mean of the two of each seed, then over seeds. Places and "
                        "tests are about the base classes alone."},
            &Row::harmonic_mean);
}

}  // namespace petlab::reports
