#pragma once

#include "petlab/engine/progress.hpp"
#include "petlab/engine/stand_in.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/plan.hpp"
#include "petlab/study/protocol.hpp"

#include <filesystem>
#include <string>

namespace petlab::engine {
struct StoredAdapters;
}  // namespace petlab::engine

namespace petlab::study {

/// The adapters of a finished run, from their file beside the store, which has the digest that the
/// store says. Throws Error(data) with one sentence where they are not there.
[[nodiscard]] engine::StoredAdapters load_adapters(const std::filesystem::path& store,
                                                   const results::RunRecord& run);

struct Evaluation {
  results::RunRecord record;
  bool was_there = false;  ///< the store had it already: nothing was computed
};

/// Tests the adapters of a finished run, `stored` (load_adapters), on the pictures that `protocol`
/// names, its rows aside, and stores what comes out as a run of kind evaluation
/// (engine::execute_evaluation). The split is the protocol's with the run's seed. Its identity is
/// made of the run's, the digest of its adapters, the pictures, the split, the class names,
/// backbone, sources, precision, device, `stand_in` and `target`, the name that a study has for
/// another data set; one that the store has is not computed again. Nothing is stored where anything
/// goes wrong.
[[nodiscard]] Evaluation evaluate_run(Protocol protocol, const results::RunRecord& run,
                                      const engine::StoredAdapters& stored,
                                      results::RunStore& store, const engine::StandIn& stand_in,
                                      const ExecutionOptions& execution, engine::Progress& progress,
                                      const std::string& target = "");

}  // namespace petlab::study
