#pragma once

#include "json_output.hpp"
#include "petlab/study/plugin_loader.hpp"

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace petlab::sdk {
class BackboneView;
}  // namespace petlab::sdk

namespace petlab::app {

/// Prints what a method or grouping is: plugin, training of its publication, options with types,
/// ranges and defaults.
void describe(std::ostream& out, const study::MethodRef& method);
void describe(std::ostream& out, const study::GroupingRef& grouping);

/// The same as JSON.
[[nodiscard]] Json describe_json(const study::MethodRef& method);
[[nodiscard]] Json describe_json(const study::GroupingRef& grouping);

/// Name, version, licence, source hash and file.
[[nodiscard]] Json plugin_json(const study::LoadedPlugin& plugin);

/// Tasks of a made-up study to count for: parameters of some methods depend on them.
struct CountedTasks {
  std::int64_t tasks = 4;
  std::int64_t classes = 65;  ///< of each task
  std::int64_t shots = 16;    ///< training images of each class in each task
};

struct AdapterTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// One adapter of a method on a backbone, used by all tasks.
struct AdapterCount {
  std::int64_t backbone_parameters = 0;
  std::int64_t trainable = 0;
  std::int64_t at_inference = 0;       ///< values that must be kept to classify with it
  std::int64_t tasks = 0;              ///< that were counted for
  bool composable = false;             ///< a group's and a task's adapter may work together
  std::vector<AdapterTensor> tensors;  ///< what it trains

  [[nodiscard]] std::int64_t stored_bytes() const {
    return trainable * std::int64_t{sizeof(float)};
  }
};

/// Makes such an adapter and counts. Throws Error(config) for options that the method has not.
[[nodiscard]] AdapterCount count_parameters(const study::MethodRef& method,
                                            const std::map<std::string, std::string>& options,
                                            const sdk::BackboneView& backbone,
                                            std::int64_t backbone_parameters,
                                            const CountedTasks& counted);

/// Prints the tensors, what is needed at inference, what is stored, and what each sharing trains.
void print_count(std::ostream& out, const AdapterCount& count);
[[nodiscard]] Json count_json(const AdapterCount& count);

}  // namespace petlab::app
