#pragma once

#include "petlab/sdk/abi.hpp"
#include "petlab/sdk/grouping.hpp"
#include "petlab/sdk/method.hpp"
#include "petlab/sdk/plugin_record.hpp"

#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>

namespace petlab::sdk {

/// The name of the one symbol that a plugin exports.
inline constexpr const char* kPluginSymbol = "petlab_plugin_v1";

/// What a plugin is, as data. The host checks its record (PluginRecord) in the file before it loads
/// the library, and this before it calls anything of it. Standard layout; the first three members
/// never move.
struct PluginDescriptor {
  std::uint32_t magic = kPluginMagic;
  std::uint32_t sdk_abi = kSdkAbi;
  std::uint64_t size = sizeof(PluginDescriptor);
  std::uint64_t torch_abi = kTorchAbi;
  const char* torch_version = kTorchVersion;
  const char* build_tag = kBuildTag;
  const char* name;         ///< as in the file name petlab_<name>.so
  const char* version;      ///< semantic version of the plugin
  const char* licence;      ///< SPDX identifier
  const char* source_hash;  ///< SHA-256 of the plugin's sources: part of every run's identity
  const MethodEntry* methods;
  std::uint64_t method_count;
  const GroupingEntry* groupings;
  std::uint64_t grouping_count;
};

static_assert(std::is_standard_layout_v<PluginDescriptor>);

/// The factory of a method or grouping that is made from its options: `.make = make_entry<Method,
/// Coop>`.
template <typename Base, typename Entry>
std::unique_ptr<Base> make_entry(const Options& options) {
  return std::make_unique<Entry>(options);
}

}  // namespace petlab::sdk

/// Defines the plugin's one exported symbol from all members of the descriptor, and its record
/// beside it. Most plugins use one of the two below.
#define PETLAB_PLUGIN(...)                                                                     \
  extern "C" __attribute__((visibility("default"),                                             \
                            used)) constexpr ::petlab::sdk::PluginDescriptor petlab_plugin_v1{ \
      __VA_ARGS__};                                                                            \
  PETLAB_PLUGIN_RECORD(petlab_plugin_v1)

/// The whole of a plugin that holds methods: PETLAB_METHODS("MIT", kMethods), an array of
/// MethodEntry. Name, version and hash of the sources come from the build (petlab_add_plugin).
#define PETLAB_METHODS(spdx_licence, entries)                                                   \
  PETLAB_PLUGIN(.name = PETLAB_PLUGIN_NAME, .version = PETLAB_PLUGIN_VERSION,                   \
                .licence = (spdx_licence), .source_hash = PETLAB_PLUGIN_SOURCE_HASH,            \
                .methods = (entries), .method_count = std::size(entries), .groupings = nullptr, \
                .grouping_count = 0)

/// The same for groupings.
#define PETLAB_GROUPINGS(spdx_licence, entries)                                      \
  PETLAB_PLUGIN(.name = PETLAB_PLUGIN_NAME, .version = PETLAB_PLUGIN_VERSION,        \
                .licence = (spdx_licence), .source_hash = PETLAB_PLUGIN_SOURCE_HASH, \
                .methods = nullptr, .method_count = 0, .groupings = (entries),       \
                .grouping_count = std::size(entries))
