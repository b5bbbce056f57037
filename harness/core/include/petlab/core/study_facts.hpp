#pragma once

#include "petlab/core/plan.hpp"
#include "petlab/core/protocol.hpp"

namespace petlab::core {

/// Reads and hashes what the study's files hold: pictures, splits of all seeds, backbone. Throws
/// Error(data) naming what is missing or damaged. A data set or a backbone that several studies of
/// one process share is read once: what changes meanwhile is found by prepare_data() and by the
/// workers, which look again. Not for several threads at once.
[[nodiscard]] StudyFacts measure_facts(const Protocol& protocol);

}  // namespace petlab::core
