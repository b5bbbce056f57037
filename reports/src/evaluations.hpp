#pragma once

#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Tests of finished runs' adapters beside the runs' own: base to new, cross-domain, domains left
/// out, other data sets.
namespace petlab::reports {

/// Calls `visit` with each finished evaluation of a run, without predictions, in the order in which
/// they were finished.
void visit_evaluations(const results::RunStore& store,
                       const std::function<void(const results::RunRecord&)>& visit);

/// The task whose adapters classify all domains of an evaluation; "" where each has its own.
std::string tested_as(const results::RunRecord& evaluation);

/// Accuracy by tested_as().
using AccuracyByAdapters = std::map<std::string, double>;

/// By run.
using TestedRuns = std::map<std::string, AccuracyByAdapters>;

/// The seeds of a row that were tested, each with the accuracy of the adapters that all tasks
/// share, or the mean over the adapters of each of so many tasks, where all of these are tested.
std::vector<std::pair<std::uint64_t, double>> tested_seeds(const Row& row, const TestedRuns& tested,
                                                           std::size_t tasks);

/// Over the seeds of the row; nothing where one is not tested.
std::optional<Estimate> over_seeds(const Row& row,
                                   const std::vector<std::pair<std::uint64_t, double>>& tested);

}  // namespace petlab::reports
