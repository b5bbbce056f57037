#include "new_classes.hpp"

#include "evaluations.hpp"
#include "petlab/reports/statistics.hpp"
#include "petlab/results/named_values.hpp"
#include "protocol_text.hpp"
#include "row_table.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace petlab::reports {
namespace {

// By run and fingerprint of all classes: the mean accuracy on the new classes.
using Tested = std::map<std::pair<std::string, std::string>, double>;

std::string all_classes(const results::RunRecord& run) {
  return results::value_of(run.environment, results::environment::kAllClasses);
}

Tested read_evaluations(const results::RunStore& store) {
  Tested tested;
  visit_evaluations(store, [&](const results::RunRecord& run) {
    const std::string* classes = results::find_value(run.protocol, "dataset.classes");
    if (classes != nullptr && *classes == "new" && tested_as(run).empty())
      tested[{*run.parent, all_classes(run)}] = run.mean_accuracy();
  });
  return tested;
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
  const Tested tested = read_evaluations(store);
  for (Row& row : report.rows) {
    std::vector<double> of_new, harmonics;
    for (const SeedResult& seed : row.seeds) {
      const auto found = tested.find({seed.identity.hash, all_classes(seed)});
      if (found == tested.end()) continue;
      of_new.push_back(found->second);
      harmonics.push_back(harmonic(seed.mean_accuracy(), found->second));
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
