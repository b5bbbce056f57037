#pragma once

#include "petlab/sdk/plugin.hpp"

namespace petlab::sdk {

/// The name of the symbol that a plugin exports besides kPluginSymbol when it hosts methods that
/// are written in files of their own, in another language.
inline constexpr const char* kMethodFilesSymbol = "petlab_method_files_v1";

/// How the host gets the methods of such files. They lie in plugin folders; the method in
/// `one_name.py` is `one-name`. Standard layout; new members are added at the end.
struct MethodFiles {
  const char* extension = "";  ///< with the dot: ".py"

  /// Whether the file is a method and not a module that methods use. Reads it, runs nothing of it.
  bool (*is_method)(const char* file) = nullptr;

  /// The method of the file as a plugin of its own, with one entry; its source hash is over the
  /// file and what it uses of its folder. Called when the method is first used, once a file and
  /// process; what it points to stays to the end of the process. Throws Error(plugin) with one
  /// sentence that says what is wrong with the file.
  const PluginDescriptor* (*open)(const char* file) = nullptr;
};

static_assert(std::is_standard_layout_v<MethodFiles>);

}  // namespace petlab::sdk

/// Defines the second symbol, for a plugin without methods of its own: all members of MethodFiles.
#define PETLAB_METHOD_FILES(spdx_licence, ...)                                                  \
  extern "C" __attribute__((visibility("default"),                                              \
                            used)) constexpr ::petlab::sdk::MethodFiles petlab_method_files_v1{ \
      __VA_ARGS__};                                                                             \
  PETLAB_PLUGIN(.name = PETLAB_PLUGIN_NAME, .version = PETLAB_PLUGIN_VERSION,                   \
                .licence = (spdx_licence), .source_hash = PETLAB_PLUGIN_SOURCE_HASH,            \
                .methods = nullptr, .method_count = 0, .groupings = nullptr, .grouping_count = 0)
