#pragma once

#include "petlab/engine/progress.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/plan.hpp"

#include <vector>

namespace petlab::study {

/// What a worker needs of a data set, made once for all runs by the host: builds the image cache
/// where it is not there yet, with all cores, keeps the originals where crops are drawn, registers
/// the splits of the jobs' seeds in the store and writes their manifest, which the jobs then name.
/// Jobs may be of several data sets. Throws Error(data) naming a picture that cannot be decoded, or
/// saying that the data set changed since the plan was made.
void prepare_data(std::vector<Job>& jobs, results::RunStore& store, engine::Progress& progress);

}  // namespace petlab::study
