#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/engine/sharing.hpp"
#include "petlab/results/record.hpp"

#include <string>
#include <vector>

namespace petlab::engine {

/// Trainable parameters and bytes to store, one row an adapter and one for the frozen backbone.
/// Memory that several parameters share counts once, for the first of them.
[[nodiscard]] std::vector<results::ParameterCount> count_parameters(const Adapters& adapters,
                                                                    const clip::Backbone& backbone);

/// SHA-256 over owner, name, shape and bytes of all parameters in their order; "" without any.
[[nodiscard]] std::string trained_hash(const Adapters& adapters);

}  // namespace petlab::engine
