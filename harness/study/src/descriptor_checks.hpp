#pragma once

#include "petlab/sdk/plugin.hpp"

#include <filesystem>
#include <string>

namespace petlab::study {

/// Looks at the file without loading it: is it a whole shared library for this machine? The
/// dynamic loader maps a truncated file and the process dies on the first missing page, so this
/// must come first. Returns the reason to refuse it, "" when there is none.
[[nodiscard]] std::string check_library_file(const std::filesystem::path& file);

/// Checks a descriptor before anything of the plugin is called: magic, SDK ABI, size, torch ABI,
/// build tag, names, entries with their option schemas. `file_name` is petlab_<name>.so. Returns
/// the reason to refuse it, "" when there is none.
[[nodiscard]] std::string check_descriptor(const sdk::PluginDescriptor& descriptor,
                                           const std::string& file_name);

/// "2.13.0": what the loaded LibTorch says of itself.
[[nodiscard]] std::string loaded_torch_version();

}  // namespace petlab::study
