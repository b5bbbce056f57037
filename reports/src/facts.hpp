#pragma once

#include "petlab/reports/report.hpp"

#include <string>
#include <utility>
#include <vector>

namespace petlab::reports {

/// What was equal for all runs, in words. Where runs differ, all values are named.
std::vector<std::pair<std::string, std::string>> collect_facts(
    const Report& report, const std::vector<results::StudyRun>& planned,
    const std::vector<results::RunRecord>& runs);

/// The splits of the runs, each once, in the order of first use.
std::vector<results::SplitRecord> splits_of(const results::RunStore& store,
                                            const std::vector<results::RunRecord>& runs);

/// What stands in the way of comparing the rows of a report that is otherwise complete.
std::vector<std::string> collect_notes(const Report& report,
                                       const std::vector<results::RunRecord>& runs);

}  // namespace petlab::reports
