#pragma once

#include "petlab/sdk/abi.hpp"
#include "petlab/sdk/grouping.hpp"
#include "petlab/sdk/method.hpp"

#include <cstdint>
#include <type_traits>

namespace petlab::sdk {

inline constexpr std::uint32_t kPluginMagic = 0x42414c50;  // "PLAB", little endian

/// The name of the one symbol that a plugin exports.
inline constexpr const char* kPluginSymbol = "petlab_plugin_v1";

/// What a plugin is, as data. The host checks it before it calls anything of the plugin.
/// Standard layout; the first three members never move.
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

}  // namespace petlab::sdk

/// Defines the plugin's one exported symbol, e.g.
///
///     PETLAB_PLUGIN(.name = PETLAB_PLUGIN_NAME, .version = PETLAB_PLUGIN_VERSION,
///                   .licence = "MIT", .source_hash = PETLAB_PLUGIN_SOURCE_HASH,
///                   .methods = kMethods, .method_count = std::size(kMethods),
///                   .groupings = nullptr, .grouping_count = 0);
#define PETLAB_PLUGIN(...)                                                                     \
  extern "C"                                                                                   \
      __attribute__((visibility("default"),                                                    \
                     used)) constinit const ::petlab::sdk::PluginDescriptor petlab_plugin_v1 { \
    __VA_ARGS__                                                                                \
  }
