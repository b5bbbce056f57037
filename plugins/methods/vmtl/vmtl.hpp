#pragma once

#include "petlab/sdk/adapter.hpp"
#include "petlab/sdk/options.hpp"

#include <memory>

namespace petlab::plugins::vmtl {

/// A linear latent representation and class weights on the frozen image features, both Gaussian;
/// each task's prior is a Gumbel-softmax mixture of the other tasks' posteriors.
[[nodiscard]] std::unique_ptr<sdk::Adapter> make_vmtl(const sdk::Options& options,
                                                      const sdk::AdapterContext& context);

}  // namespace petlab::plugins::vmtl
