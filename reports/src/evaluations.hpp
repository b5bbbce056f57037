#pragma once

#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>

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

/// That of the adapters that all tasks share, or the mean over the adapters of each of so many
/// tasks; nothing where some are not tested.
std::optional<double> accuracy_of(const AccuracyByAdapters& tested, std::size_t tasks);

}  // namespace petlab::reports
