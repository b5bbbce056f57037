#pragma once

#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Tests of finished runs' adapters beside the runs' own: base to new, cross-domain, domains left
/// out, other data sets.
namespace petlab::reports {

/// A finished evaluation of a run of the report, without predictions.
struct FollowUp {
  const results::RunRecord& evaluation;
  const SeedResult& run;        // whose adapters were tested
  std::string run_class_names;  // see class_names_of()
};

/// Calls `visit` with each evaluation that may be a test of the study's own, in the order in which
/// they were finished: of a run of the report's rows, with the adapters that the run has now, as
/// studies choose them for the tasks, and equal to the run in all that decides a result but data
/// set, split and names of classes, which `visit` looks at: backbone, precision, device, program.
void visit_follow_ups(const results::RunStore& store, const Report& report,
                      const std::function<void(const FollowUp&)>& visit);

/// The name that the study has for another data set, which the evaluation is on; "" for the others.
std::string transfer_target(const results::RunRecord& evaluation);

/// The digest of what classes are called; "" where they are called as their folders.
std::string class_names_of(const results::NamedValues& identity_parts);

/// True if the evaluation's images were divided into training and test images by the settings of
/// the study's protocol, and are of the same part of the classes, but for the key `other` of
/// [dataset]. Which images there are is not looked at.
bool has_split_settings_of(const results::RunRecord& evaluation, const std::string& protocol,
                           std::string_view other = {});

/// The task whose adapters classify all domains of an evaluation; "" where each has its own.
std::string tested_as(const results::RunRecord& evaluation);

/// Accuracy by tested_as().
using AccuracyByAdapters = std::map<std::string, double>;

/// By run.
using TestedRuns = std::map<std::string, AccuracyByAdapters>;

/// The tests of a study that make one column. They are all on one data set, each seed on one split
/// of it; where they are not, nothing says which of them are the study's, and none counts.
class ColumnTests {
 public:
  /// Of several of one run with the same adapters on the same images the last counts.
  void add(const results::RunRecord& evaluation);

  /// There are tests on several data sets, under several names of classes, or on several splits for
  /// one seed.
  [[nodiscard]] bool is_ambiguous() const;

  /// Empty where they are ambiguous.
  [[nodiscard]] TestedRuns tested() const;

 private:
  TestedRuns tested_;
  std::set<std::pair<std::string, std::string>> data_;  // data set, names of classes
  std::map<std::uint64_t, std::set<std::string>> splits_;
};

/// The note in place of a column whose tests are ambiguous: what has no number, and on which
/// several things the runs were tested.
Note ambiguous_tests_note(const std::string& what, const std::string& tested_on);

/// The seeds of a row that were tested, each with the accuracy of the adapters that all tasks
/// share, or the mean over the adapters of each of so many tasks, where all of these are tested.
std::vector<std::pair<std::uint64_t, double>> tested_seeds(const Row& row, const TestedRuns& tested,
                                                           std::size_t tasks);

/// Over the seeds of the row; nothing where one is not tested.
std::optional<Estimate> over_seeds(const Row& row,
                                   const std::vector<std::pair<std::uint64_t, double>>& tested);

}  // namespace petlab::reports
