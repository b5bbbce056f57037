#pragma once

#include "petlab/results/run_store.hpp"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace petlab::study {

/// A checkpoint, or a file of adapters, beside a store.
struct KeptCheckpoint {
  std::filesystem::path file;
  std::string identity;  ///< of its run
  std::uintmax_t bytes = 0;
};

/// Identities of the runs that the studies of a store plan, but for the studies in `replaced`.
[[nodiscard]] std::set<std::string> planned_runs(const results::RunStore& store,
                                                 const std::set<std::string>& replaced = {});

/// Checkpoints that no run will go on from: those of runs that are finished or not in `planned` (a
/// setting was changed), and drafts that a killed process left. One of a run that somebody holds a
/// lease on is none of them. Files of other names are left out. Sorted by name.
[[nodiscard]] std::vector<KeptCheckpoint> abandoned_checkpoints(
    const results::RunStore& store, const std::set<std::string>& planned);

/// Files of adapters whose run did not come into the store as finished, and drafts of such files: a
/// process was ended in between. Likewise.
[[nodiscard]] std::vector<KeptCheckpoint> abandoned_adapters(const results::RunStore& store);

}  // namespace petlab::study
