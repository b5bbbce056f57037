#pragma once

#include "petlab/sdk/plugin.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace petlab::tests {

using GivenOptions = std::map<std::string, std::string>;

/// The descriptor of build/lib/petlab/petlab_<name>.so, loaded with all symbols resolved and never
/// unloaded. Throws std::runtime_error with the loader's reason.
[[nodiscard]] const sdk::PluginDescriptor& load_plugin(const std::string& name);

[[nodiscard]] const sdk::MethodEntry& find_method(const std::string& plugin,
                                                  const std::string& method);
[[nodiscard]] const sdk::GroupingEntry& find_grouping(const std::string& plugin,
                                                      const std::string& grouping);

/// A method or grouping with the given options checked against its schema, as the host does it.
[[nodiscard]] std::unique_ptr<sdk::Method> make_method(const std::string& plugin,
                                                       const std::string& method,
                                                       const GivenOptions& given = {});
[[nodiscard]] std::unique_ptr<sdk::Grouping> make_grouping(const std::string& plugin,
                                                           const std::string& grouping,
                                                           const GivenOptions& given = {});

/// An adapter of the method, made with a generator of the given seed.
[[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(const sdk::Method& method,
                                                         const sdk::BackboneView& backbone,
                                                         std::uint64_t seed = 1);

/// Number of trainable values.
[[nodiscard]] std::int64_t count_parameters(const sdk::Adapter& adapter);

/// All parameter values behind one another, detached.
[[nodiscard]] at::Tensor flat_parameters(const sdk::Adapter& adapter);

/// The message of the sdk::Error of this kind that `action` throws; "" when it throws none.
template <class Action>
std::string error_of(sdk::ErrorKind kind, const Action& action) {
  try {
    action();
  } catch (const sdk::Error& error) {
    return error.kind() == kind
               ? error.what()
               : "(kind " + std::string(sdk::to_string(error.kind())) + ") " + error.what();
  }
  return "";
}

}  // namespace petlab::tests
