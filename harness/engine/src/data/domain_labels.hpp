#pragma once

#include "petlab/datasets/dataset.hpp"

#include <algorithm>
#include <cstdint>

namespace petlab::engine {

/// Index of a label of the data set among the classes of one domain.
inline std::int64_t label_in(const datasets::Domain& domain, std::int64_t label) {
  const auto found = std::lower_bound(domain.classes.begin(), domain.classes.end(), label);
  return found - domain.classes.begin();
}

}  // namespace petlab::engine
