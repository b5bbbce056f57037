#pragma once

#include "petlab/datasets/split.hpp"

#include <string>

namespace petlab::datasets {

/// A split with a place for each domain and no picture.
[[nodiscard]] Split empty_split(const Dataset& dataset);

[[nodiscard]] std::string hash_of(const Dataset& dataset, const Split& split);

}  // namespace petlab::datasets
