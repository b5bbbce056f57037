#pragma once

#include "petlab/sdk/backbone.hpp"
#include "petlab/study/plugin_loader.hpp"

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>

namespace petlab::app {

/// Prints what a method or grouping is: plugin, training of its publication, options with types,
/// ranges and defaults.
void describe(std::ostream& out, const study::MethodRef& method);
void describe(std::ostream& out, const study::GroupingRef& grouping);

/// Tasks of a made-up study to count for: parameters of some methods depend on them.
struct CountedTasks {
  std::int64_t tasks = 4;
  std::int64_t classes = 65;  ///< of each task
  std::int64_t shots = 16;    ///< training images of each class in each task
};

/// Prints the trainable tensors of one adapter of the method on a backbone, used by all tasks; what
/// is needed at inference, what is stored, and what each sharing trains.
void count_parameters(std::ostream& out, const study::MethodRef& method,
                      const std::map<std::string, std::string>& options,
                      const sdk::BackboneView& backbone, std::int64_t backbone_parameters,
                      const CountedTasks& counted);

}  // namespace petlab::app
