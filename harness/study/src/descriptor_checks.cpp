#include "descriptor_checks.hpp"

#include "petlab/engine/run_spec.hpp"

#include <torch/csrc/inductor/aoti_torch/c/shim.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>

namespace petlab::study {
namespace {

/// "2.13.0" of TORCH_ABI_VERSION: a byte each for major, minor, patch.
std::string torch_version_of(std::uint64_t abi) {
  const auto byte = [abi](int shift) { return std::to_string((abi >> shift) & 0xff); };
  return byte(56) + "." + byte(48) + "." + byte(40);
}

std::string text_of(const char* text) {
  return text == nullptr ? "(none)" : text;
}

bool is_name(const char* text) {
  if (text == nullptr || *text == '\0') return false;
  return std::all_of(text, text + std::strlen(text), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string check_options(const sdk::OptionSpec* options, std::uint64_t count,
                          const std::string& owner) {
  if (count > 0 && options == nullptr) return owner + " counts options but has no table of them";
  std::map<std::string, std::string> defaults;
  for (const sdk::OptionSpec& spec : std::span(options, count)) {
    if (!is_name(spec.name)) return owner + " has an option without a valid name";
    if (spec.default_value == nullptr || spec.help == nullptr || spec.choices == nullptr)
      return owner + ": option '" + spec.name + "' lacks its default, help or choices";
    if (!defaults.emplace(spec.name, spec.default_value).second)
      return owner + " has option '" + spec.name + "' twice";
  }
  try {
    sdk::Options(std::span(options, count), defaults, owner);
  } catch (const base::Error& error) {
    return std::string("a default breaks its own schema: ") + error.what();
  }
  return "";
}

template <class Entry>
std::string check_entries(const Entry* entries, std::uint64_t count, const std::string& kind) {
  if (count > 0 && entries == nullptr) return "it counts " + kind + "s but has no table of them";
  std::set<std::string> names;
  for (const Entry& entry : std::span(entries, count)) {
    if (!is_name(entry.name))
      return "a " + kind + " has no valid name (lower-case letters, digits, dashes)";
    const std::string owner = kind + " '" + entry.name + "'";
    if (!names.insert(entry.name).second) return owner + " is there twice";
    if (entry.summary == nullptr) return owner + " has no summary";
    if (entry.make == nullptr) return owner + " has no factory";
    if (std::string reason = check_options(entry.options, entry.option_count, owner);
        !reason.empty())
      return reason;
  }
  return "";
}

std::string check_training(const sdk::MethodEntry& entry) {
  const std::string_view optimizer =
      entry.training.optimizer == nullptr ? "" : entry.training.optimizer;
  if (!engine::parse_value<engine::OptimizerKind>(optimizer))
    return std::string("method '") + entry.name + "' wants optimizer '" + std::string(optimizer) +
           "', expected sgd or adamw";
  return "";
}

std::string check_trait(const sdk::MethodEntry& entry) {
  if (entry.trait != nullptr && (*entry.trait == '\0' || is_name(entry.trait))) return "";
  return std::string("method '") + entry.name + "' has the trait '" + text_of(entry.trait) +
         "', expected none or a name (lower-case letters, digits, dashes)";
}

/// What a record and a descriptor both say.
struct Origin {
  std::uint64_t descriptor_size = 0;
  std::uint64_t torch_abi = 0;
  const char* build_tag = nullptr;
  const char* name = nullptr;
};

std::string check_sdk(std::uint32_t sdk_abi) {
  if (sdk_abi == sdk::kSdkAbi) return "";
  return "built for SDK ABI " + std::to_string(sdk_abi) + ", this petlab has SDK ABI " +
         std::to_string(sdk::kSdkAbi) + "; build it again";
}

std::string check_origin(const Origin& origin, const std::string& file_name) {
  if (origin.descriptor_size != sizeof(sdk::PluginDescriptor))
    return "its descriptor has " + std::to_string(origin.descriptor_size) + " bytes, expected " +
           std::to_string(sizeof(sdk::PluginDescriptor)) + "; build it again";
  // The number that the loaded LibTorch tells of itself, not only that of the header.
  const std::uint64_t torch_abi = aoti_torch_abi_version();
  if (origin.torch_abi != torch_abi)
    return "built with LibTorch " + torch_version_of(origin.torch_abi) + " (ABI " +
           std::to_string(origin.torch_abi) + "), this petlab runs with LibTorch " +
           torch_version_of(torch_abi) + " (ABI " + std::to_string(torch_abi) + "); build it again";
  if (origin.build_tag == nullptr || std::string_view(origin.build_tag) != sdk::kBuildTag)
    return "built as '" + text_of(origin.build_tag) + "', this petlab is built as '" +
           sdk::kBuildTag + "'; build it again";
  if (!is_name(origin.name))
    return "its descriptor has no valid name (lower-case letters, digits, dashes)";
  if (file_name != "petlab_" + std::string(origin.name) + ".so")
    return "its descriptor says '" + std::string(origin.name) + "', so the file should be petlab_" +
           origin.name + ".so";
  return "";
}

template <std::size_t N>
bool has_end(const char (&text)[N]) {
  return std::memchr(text, '\0', N) != nullptr;
}

std::string why_no_record(ElfFile& library) {
  if (!library.names_symbol(sdk::kPluginSymbol))
    return std::string("not a petlab plugin: no symbol ") + sdk::kPluginSymbol;
  return std::string("it has no section ") + PETLAB_PLUGIN_SECTION +
         ", by which petlab knows a plugin before it loads it (SDK ABI 4 and later write it); "
         "build it again";
}

}  // namespace

std::string check_record(ElfFile& library, const std::string& file_name) {
  const std::optional<std::string> bytes = library.section(PETLAB_PLUGIN_SECTION);
  if (!bytes) return why_no_record(library);
  const std::string section = std::string("its section ") + PETLAB_PLUGIN_SECTION;
  sdk::PluginRecord record;
  constexpr std::size_t kFixed =
      offsetof(sdk::PluginRecord, sdk_abi) + sizeof(sdk::PluginRecord::sdk_abi);
  std::memcpy(&record, bytes->data(), std::min(bytes->size(), sizeof record));
  if (bytes->size() < kFixed || record.magic != sdk::kPluginMagic)
    return "not a petlab plugin: " + section + " does not begin with petlab's magic number";
  // Another SDK may have another record: its number is all that can be read of it.
  if (std::string reason = check_sdk(record.sdk_abi); !reason.empty()) return reason;
  if (bytes->size() != sizeof record || record.size != sizeof record)
    return section + " has " + std::to_string(bytes->size()) + " bytes, expected " +
           std::to_string(sizeof record) + "; build it again";
  if (!has_end(record.torch_version) || !has_end(record.build_tag) || !has_end(record.name) ||
      !has_end(record.version))
    return section + " is damaged: a text in it has no end";
  return check_origin({.descriptor_size = record.descriptor_size,
                       .torch_abi = record.torch_abi,
                       .build_tag = record.build_tag,
                       .name = record.name},
                      file_name);
}

std::string loaded_torch_version() {
  return torch_version_of(aoti_torch_abi_version());
}

std::string check_descriptor(const sdk::PluginDescriptor& d, const std::string& file_name) {
  if (d.magic != sdk::kPluginMagic)
    return "not a petlab plugin: its descriptor does not begin with petlab's magic number";
  if (std::string reason = check_sdk(d.sdk_abi); !reason.empty()) return reason;
  if (std::string reason = check_origin({.descriptor_size = d.size,
                                         .torch_abi = d.torch_abi,
                                         .build_tag = d.build_tag,
                                         .name = d.name},
                                        file_name);
      !reason.empty())
    return reason;
  return check_entries(d);
}

std::string check_entries(const sdk::PluginDescriptor& d) {
  if (d.version == nullptr || d.licence == nullptr || d.source_hash == nullptr)
    return "its descriptor lacks version, licence or source hash";
  if (std::string reason = check_entries(d.methods, d.method_count, "method"); !reason.empty())
    return reason;
  if (std::string reason = check_entries(d.groupings, d.grouping_count, "grouping");
      !reason.empty())
    return reason;
  for (const sdk::MethodEntry& entry : std::span(d.methods, d.method_count)) {
    if (std::string reason = check_training(entry); !reason.empty()) return reason;
    if (std::string reason = check_trait(entry); !reason.empty()) return reason;
  }
  return "";
}

}  // namespace petlab::study
