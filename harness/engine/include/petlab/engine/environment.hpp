#pragma once

#include "petlab/results/record.hpp"

#include <c10/core/Device.h>

namespace petlab::engine {

/// What the run computes on: device, cpu, threads, torch_version and the instruction set that
/// LibTorch uses. `known` comes first and wins.
[[nodiscard]] results::NamedValues describe_environment(c10::Device device,
                                                        results::NamedValues known);

}  // namespace petlab::engine
