#pragma once

#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <filesystem>

namespace petlab::reports::sample {

/// Writes a store with the study "demo": zero-shot, CoOp joint, MmAP grouped (with groupings) and
/// VPT per-task, seeds 1 to 3; one run of VPT failed and one is missing.
results::RunStore demo_store(const std::filesystem::path& path);

}  // namespace petlab::reports::sample
