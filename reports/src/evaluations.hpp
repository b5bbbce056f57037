#pragma once

#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"

#include <functional>
#include <string>

/// Tests of finished runs' adapters beside the runs' own: base to new, cross-domain, domains left
/// out.
namespace petlab::reports {

/// Calls `visit` with each finished evaluation of a run, without predictions, in the order in which
/// they were finished.
void visit_evaluations(const results::RunStore& store,
                       const std::function<void(const results::RunRecord&)>& visit);

/// The task whose adapters classify all domains of an evaluation; "" where each has its own.
std::string tested_as(const results::RunRecord& evaluation);

}  // namespace petlab::reports
