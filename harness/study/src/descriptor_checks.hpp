#pragma once

#include "elf_file.hpp"
#include "petlab/sdk/plugin.hpp"

#include <string>

namespace petlab::study {

/// Checks what the library's file says of the plugin's build (sdk::PluginRecord), before anything
/// of it is loaded: magic, SDK ABI, sizes, torch ABI, build tag, name. `file_name` is
/// petlab_<name>.so. Returns the reason to refuse it, "" when there is none; throws Error(plugin)
/// for a damaged file.
[[nodiscard]] std::string check_record(ElfFile& library, const std::string& file_name);

/// Checks a descriptor before anything of the plugin is called: all that its record says, and the
/// entries with their option schemas, if there are any. `file_name` is petlab_<name>.so. Returns
/// the reason to refuse it, "" when there is none.
[[nodiscard]] std::string check_descriptor(const sdk::PluginDescriptor& descriptor,
                                           const std::string& file_name);

/// The part of check_descriptor() about entries and their option schemas alone.
[[nodiscard]] std::string check_entries(const sdk::PluginDescriptor& descriptor);

/// "2.13.0": what the loaded LibTorch says of itself.
[[nodiscard]] std::string loaded_torch_version();

}  // namespace petlab::study
