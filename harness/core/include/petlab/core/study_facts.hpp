#pragma once

#include "petlab/core/plan.hpp"
#include "petlab/core/protocol.hpp"

namespace petlab::core {

/// Reads and hashes what the study's files hold: pictures, splits of all seeds, backbone. Throws
/// Error(data) naming what is missing or damaged.
[[nodiscard]] StudyFacts measure_facts(const Protocol& protocol);

}  // namespace petlab::core
