#include "petlab/sdk/plugin_record.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace petlab::sdk {
namespace {

/// As far as a record looks at a descriptor.
struct Described {
  std::uint32_t magic = kPluginMagic;
  std::uint32_t sdk_abi = 7;
  std::uint64_t size = 96;
  std::uint64_t torch_abi = 12;
  const char* torch_version = "2.13.0";
  const char* build_tag = "gcc 4.9";
  const char* name = "coop";
  const char* version = "0.1.0";
};

TEST(PluginRecord, SaysWhatTheDescriptorSays) {
  constexpr PluginRecord record = record_of(Described{});
  EXPECT_EQ(record.magic, kPluginMagic);
  EXPECT_EQ(record.sdk_abi, 7U);
  EXPECT_EQ(record.size, sizeof(PluginRecord));
  EXPECT_EQ(record.descriptor_size, 96U);
  EXPECT_EQ(record.torch_abi, 12U);
  EXPECT_STREQ(record.torch_version, "2.13.0");
  EXPECT_STREQ(record.build_tag, "gcc 4.9");
  EXPECT_STREQ(record.name, "coop");
  EXPECT_STREQ(record.version, "0.1.0");
}

TEST(PluginRecord, HasRoomForThisBuildsTag) {
  EXPECT_LT(std::strlen(kBuildTag), sizeof(PluginRecord::build_tag));
  EXPECT_LT(std::strlen(kTorchVersion), sizeof(PluginRecord::torch_version));
}

TEST(PluginRecord, BeginsWithWhatNeverMoves) {
  EXPECT_EQ(offsetof(PluginRecord, magic), 0U);
  EXPECT_EQ(offsetof(PluginRecord, sdk_abi), 4U);
  EXPECT_EQ(offsetof(PluginRecord, size), 8U);
}

}  // namespace
}  // namespace petlab::sdk
