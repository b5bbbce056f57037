#pragma once

#include "petlab/engine/run_spec.hpp"

#include <map>
#include <string>

namespace petlab::study {

/// Completes what [dataset] of a protocol file said: of several training sizes the largest decides
/// what tests. Throws Error(config) where keys are missing, need or exclude each other. `origins`
/// tells where keys ("dataset.split") were written; messages begin with that, or with `where`.
void complete_dataset(engine::DatasetSpec& dataset,
                      const std::map<std::string, std::string>& origins, const std::string& where,
                      bool has_search);

}  // namespace petlab::study
