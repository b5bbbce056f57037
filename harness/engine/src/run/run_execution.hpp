#pragma once

#include "petlab/engine/failure_context.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/results/record.hpp"

namespace petlab::engine {

/// A run while it is executed: what is known so far, and where it is.
struct RunExecution {
  results::RunRecord record;
  CheckpointPlace checkpoint;
  AdapterPlace adapters;
  FailureContext where;
};

/// Executes the run and fills the record as far as it gets. Throws what goes wrong.
void execute(const RunSpec& spec, const RunInputs& inputs, Progress& progress,
             RunExecution& execution);

/// A record with what is known before anything is loaded.
[[nodiscard]] results::RunRecord begin_record(const RunSpec& spec, const RunInfo& info);

}  // namespace petlab::engine
