#pragma once

#include "petlab/sdk/adapter.hpp"
#include "petlab/sdk/options.hpp"

#include <memory>

namespace petlab::plugins::experts {

/// Adapters as experts, several at each place, and for each task a gate over them.
/// Throws Error(config) when the options do not fit the backbone's shape or each other.
[[nodiscard]] std::unique_ptr<sdk::Adapter> make_moe_adapter(const sdk::Options& options,
                                                             const sdk::AdapterContext& context);

}  // namespace petlab::plugins::experts
