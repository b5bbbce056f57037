#pragma once

#include "petlab/engine/run.hpp"
#include "petlab/engine/stand_in.hpp"
#include "petlab/engine/stored_adapters.hpp"

namespace petlab::engine {

/// Tests the adapters of a finished run once more, on other pictures or the same: a run of its own,
/// of kind evaluation, that names `parent` and trains nothing. `parent` is the record of the run
/// that `stored` comes from. `inputs` needs backbone, tasks and load_test, no method; of the tasks
/// names and classes are looked at, and as which of the run's tasks they are classified is
/// match_tasks()'s. On the parent's own test images, backbone, device and threads it gives the
/// parent's predictions to the last bit. Throws what goes wrong.
[[nodiscard]] results::RunRecord execute_evaluation(const RunSpec& spec, const RunInfo& info,
                                                    const RunInputs& inputs,
                                                    const StoredAdapters& stored,
                                                    const results::RunRecord& parent,
                                                    const StandIn& stand_in, Progress& progress);

}  // namespace petlab::engine
