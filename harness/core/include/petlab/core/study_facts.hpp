#pragma once

#include "petlab/core/plan.hpp"
#include "petlab/core/protocol.hpp"
#include "petlab/core/tasks.hpp"

#include <vector>

namespace petlab::core {

/// Reads and hashes what the study's files hold: pictures, splits of all seeds, backbone. Throws
/// Error(data) naming what is missing or damaged. A data set or a backbone that several studies of
/// one process share is read once: what changes meanwhile is found by prepare_data() and by the
/// workers, which look again. Not for several threads at once.
[[nodiscard]] StudyFacts measure_facts(const Protocol& protocol);

/// Names and classes of the tasks of a study, without pictures: what a memory estimate needs.
[[nodiscard]] std::vector<Task> study_tasks(const DatasetSpec& spec);

}  // namespace petlab::core
