#include "descriptor_checks.hpp"

#include "petlab/engine/run_spec.hpp"

#include <elf.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

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

}  // namespace

std::string check_library_file(const std::filesystem::path& file) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  if (error) return "cannot be read: " + error.message();
  std::ifstream in(file, std::ios::binary);
  Elf64_Ehdr header{};
  if (!in.read(reinterpret_cast<char*>(&header), sizeof header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_type != ET_DYN)
    return "not a shared library of this machine (no 64-bit ELF header)";
  std::uint64_t needed = header.e_phoff + std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (header.e_phentsize == sizeof(Elf64_Phdr) && needed <= size) {
    std::vector<Elf64_Phdr> segments(header.e_phnum);
    in.seekg(static_cast<std::streamoff>(header.e_phoff));
    in.read(reinterpret_cast<char*>(segments.data()),
            static_cast<std::streamsize>(segments.size() * sizeof(Elf64_Phdr)));
    for (const Elf64_Phdr& segment : segments)
      if (segment.p_type == PT_LOAD)
        needed = std::max<std::uint64_t>(needed, segment.p_offset + segment.p_filesz);
  }
  needed = std::max<std::uint64_t>(
      needed, header.e_shoff + std::uint64_t{header.e_shnum} * header.e_shentsize);
  if (needed > size)
    return "the file is cut short: " + std::to_string(size) + " bytes of at least " +
           std::to_string(needed);
  return "";
}

std::string loaded_torch_version() {
  return torch_version_of(aoti_torch_abi_version());
}

std::string check_descriptor(const sdk::PluginDescriptor& d, const std::string& file_name) {
  if (d.magic != sdk::kPluginMagic)
    return "not a petlab plugin: its descriptor does not begin with petlab's magic number";
  if (d.sdk_abi != sdk::kSdkAbi)
    return "built for SDK ABI " + std::to_string(d.sdk_abi) + ", this petlab has SDK ABI " +
           std::to_string(sdk::kSdkAbi) + "; build it again";
  if (d.size != sizeof(sdk::PluginDescriptor))
    return "its descriptor has " + std::to_string(d.size) + " bytes, expected " +
           std::to_string(sizeof(sdk::PluginDescriptor)) + "; build it again";
  // The number that the loaded LibTorch tells of itself, not only that of the header.
  const std::uint64_t torch_abi = aoti_torch_abi_version();
  if (d.torch_abi != torch_abi)
    return "built with LibTorch " + torch_version_of(d.torch_abi) + " (ABI " +
           std::to_string(d.torch_abi) + "), this petlab runs with LibTorch " +
           torch_version_of(torch_abi) + " (ABI " + std::to_string(torch_abi) + "); build it again";
  if (d.build_tag == nullptr || std::string_view(d.build_tag) != sdk::kBuildTag)
    return "built as '" + text_of(d.build_tag) + "', this petlab is built as '" + sdk::kBuildTag +
           "'; build it again";
  if (!is_name(d.name))
    return "its descriptor has no valid name (lower-case letters, digits, dashes)";
  if (file_name != "petlab_" + std::string(d.name) + ".so")
    return "its descriptor says '" + std::string(d.name) + "', so the file should be petlab_" +
           d.name + ".so";
  if (d.version == nullptr || d.licence == nullptr || d.source_hash == nullptr)
    return "its descriptor lacks version, licence or source hash";
  if (std::string reason = check_entries(d.methods, d.method_count, "method"); !reason.empty())
    return reason;
  if (std::string reason = check_entries(d.groupings, d.grouping_count, "grouping");
      !reason.empty())
    return reason;
  for (const sdk::MethodEntry& entry : std::span(d.methods, d.method_count))
    if (std::string reason = check_training(entry); !reason.empty()) return reason;
  if (d.method_count + d.grouping_count == 0) return "it has neither a method nor a grouping";
  return "";
}

}  // namespace petlab::study
