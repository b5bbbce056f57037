#pragma once

#include "petlab/study/plan.hpp"
#include "petlab/study/protocol.hpp"

#include <vector>

namespace petlab::engine {
struct Task;
}  // namespace petlab::engine

namespace petlab::study {

/// Reads and hashes what the study's files hold: pictures, splits of all seeds, backbone. Throws
/// Error(data) naming what is missing or damaged. A data set or a backbone that several studies of
/// one process share is read once: what changes meanwhile is found by prepare_data() and by the
/// workers, which look again. Not for several threads at once.
[[nodiscard]] StudyFacts measure_facts(const Protocol& protocol);

/// Names and classes of the tasks of a study, without pictures: what a memory estimate needs.
[[nodiscard]] std::vector<engine::Task> study_tasks(const engine::DatasetSpec& spec);

}  // namespace petlab::study
