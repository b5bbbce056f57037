#pragma once

#include "petlab/sdk/adapter.hpp"
#include "petlab/sdk/options.hpp"

#include <memory>
#include <vector>

namespace petlab::plugins::adapters {

/// A bottleneck module at each of the `sites` of the chosen layers and towers.
/// Throws Error(config) when the options give no hidden width or name no layers of a tower.
[[nodiscard]] std::unique_ptr<sdk::Adapter> make_bottlenecks(
    const char* method, const std::vector<sdk::BottleneckSite>& sites, const sdk::Options& options,
    const sdk::AdapterContext& context);

}  // namespace petlab::plugins::adapters
