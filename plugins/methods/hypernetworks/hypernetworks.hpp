#pragma once

#include "petlab/sdk/adapter.hpp"
#include "petlab/sdk/options.hpp"

#include <memory>

namespace petlab::plugins::hypernetworks {

/// HyperFormer++: one network a tower makes the adapters of all its layers from embeddings of the
/// task, the layer and the place in the block. Throws Error(config) when the options do not fit.
[[nodiscard]] std::unique_ptr<sdk::Adapter> make_hyperformer(const sdk::Options& options,
                                                             const sdk::AdapterContext& context);

/// Polyhistor: low-rank templates made from the task's embedding, spread over the layers by a
/// Kronecker product with a small kernel of each layer. Throws as make_hyperformer().
[[nodiscard]] std::unique_ptr<sdk::Adapter> make_polyhistor(const sdk::Options& options,
                                                            const sdk::AdapterContext& context);

}  // namespace petlab::plugins::hypernetworks
