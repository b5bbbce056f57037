#pragma once

#include "petlab/sdk/abi.hpp"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace petlab::sdk {

inline constexpr std::uint32_t kPluginMagic = 0x42414c50;  // "PLAB", little endian

/// The section of a plugin's file that holds its PluginRecord and nothing else.
#define PETLAB_PLUGIN_SECTION ".petlab.plugin"

/// What the host has to know before it lets a plugin into its process: how it was built, and its
/// name. Lies in the file as it lies in memory, without pointers, so that it is read without
/// loading anything: a library that is refused for it never runs a constructor. Texts end with a
/// zero. The first three members never move.
struct PluginRecord {
  std::uint32_t magic = kPluginMagic;
  std::uint32_t sdk_abi = kSdkAbi;
  std::uint64_t size = sizeof(PluginRecord);
  std::uint64_t descriptor_size = 0;
  std::uint64_t torch_abi = 0;
  char torch_version[32] = {};
  char build_tag[256] = {};
  char name[64] = {};
  char version[32] = {};
};

static_assert(std::is_standard_layout_v<PluginRecord> &&
              std::is_trivially_copyable_v<PluginRecord>);

/// Copies a text with its zero. One that does not fit, or none, does not compile.
template <std::size_t N>
consteval void put_text(char (&place)[N], const char* text) {
  std::size_t i = 0;
  for (; text[i] != '\0'; ++i) {
    if (i + 1 >= N) throw "a text of the plugin's descriptor is too long for its record";
    place[i] = text[i];
  }
}

/// The record that says what a PluginDescriptor says.
template <typename Descriptor>
consteval PluginRecord record_of(const Descriptor& descriptor) {
  PluginRecord record;
  record.magic = descriptor.magic;
  record.sdk_abi = descriptor.sdk_abi;
  record.descriptor_size = descriptor.size;
  record.torch_abi = descriptor.torch_abi;
  put_text(record.torch_version, descriptor.torch_version);
  put_text(record.build_tag, descriptor.build_tag);
  put_text(record.name, descriptor.name);
  put_text(record.version, descriptor.version);
  return record;
}

}  // namespace petlab::sdk

// Kept although nothing refers to it, by the compiler and by a linker that collects sections.
#if defined(__has_attribute) && __has_attribute(retain)
#define PETLAB_KEPT used, retain
#else
#define PETLAB_KEPT used
#endif

/// Defines the record of `descriptor`, a constexpr PluginDescriptor, in the section of its own.
#define PETLAB_PLUGIN_RECORD(descriptor)                                                           \
  __attribute__((section(PETLAB_PLUGIN_SECTION),                                                   \
                 PETLAB_KEPT)) static constexpr ::petlab::sdk::PluginRecord petlab_plugin_record = \
      ::petlab::sdk::record_of(descriptor)
