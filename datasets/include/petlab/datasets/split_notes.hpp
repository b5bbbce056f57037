#pragma once

#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/split.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::datasets {

/// What a reader of a study on this split must know, one sentence each: domains of one class, whose
/// accuracy is always 100 %; classes of a domain that are tested and never trained on, or trained
/// on and never tested; classes with fewer than the `shots` training pictures asked for (0: no
/// number was asked for); classes whose names are identifiers.
[[nodiscard]] std::vector<std::string> split_notes(const Dataset& dataset, const Split& split,
                                                   std::int64_t shots = 0);

/// Why no study can run on this split, "" where one can: a domain has no training or no test
/// pictures. Says what to do.
[[nodiscard]] std::string split_obstacle(const Dataset& dataset, const Split& split);

}  // namespace petlab::datasets
