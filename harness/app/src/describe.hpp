#pragma once

#include "petlab/core/plugin_loader.hpp"
#include "petlab/sdk/backbone.hpp"

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>

namespace petlab::app {

/// Prints what a method or grouping is: plugin, training of its publication, options with types,
/// ranges and defaults.
void describe(std::ostream& out, const core::MethodRef& method);
void describe(std::ostream& out, const core::GroupingRef& grouping);

/// Prints the trainable tensors of one adapter of the method on a backbone, and what each sharing
/// of `tasks` tasks trains.
void count_parameters(std::ostream& out, const core::MethodRef& method,
                      const std::map<std::string, std::string>& options,
                      const sdk::BackboneView& backbone, std::int64_t backbone_parameters,
                      std::int64_t tasks);

}  // namespace petlab::app
