#include "petlab/study/plugin_loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

const fs::path kPlugins = fs::path(PETLAB_BINARY_DIR) / "lib" / "petlab";
const fs::path kBroken = fs::path(PETLAB_BINARY_DIR) / "lib" / "petlab-test-plugins";

/// Why the one plugin of a case is refused; "" when it is loaded.
std::string reason(const std::string& name) {
  const PluginRegistry plugins({.folders = {kBroken / name}, .files = {}});
  EXPECT_EQ(plugins.plugins().size() + plugins.refused().size(), 1U) << name;
  return plugins.refused().empty() ? "" : plugins.refused().front().reason;
}

TEST(PluginLoader, LoadsEveryPluginOfTheProject) {
  const PluginRegistry plugins({.folders = {kPlugins}, .files = {}});
  for (const RefusedPlugin& refused : plugins.refused())
    ADD_FAILURE() << refused.reason;
  for (const char* name : {"zero-shot", "full-fine-tuning", "coop", "vpt-deep", "text-prompt",
                           "vision-prompt", "mmap"}) {
    EXPECT_THAT(plugins.method_names(), Contains(name));
    EXPECT_STREQ(plugins.method(name).entry->name, name);
  }
  for (const char* name : {"gradient", "random", "all-in-one"})
    EXPECT_THAT(plugins.grouping_names(), Contains(name));
}

TEST(PluginLoader, LoadsASoundPlugin) {
  EXPECT_EQ(reason("good"), "");
}

TEST(PluginLoader, RefusesEachBrokenPluginWithItsOwnReason) {
  EXPECT_THAT(reason("wrong_sdk_abi"),
              AllOf(HasSubstr("SDK ABI " + std::to_string(sdk::kSdkAbi + 1)),
                    HasSubstr("this petlab has SDK ABI " + std::to_string(sdk::kSdkAbi))));
  EXPECT_THAT(reason("wrong_torch"),
              AllOf(HasSubstr("LibTorch 1.12.0"), HasSubstr("LibTorch 2.13")));
  EXPECT_THAT(reason("wrong_build_tag"),
              AllOf(HasSubstr("'gcc 4.9; c++ 201402; cxx11-abi 0'"), HasSubstr(sdk::kBuildTag)));
  EXPECT_THAT(reason("wrong_name"),
              AllOf(HasSubstr("somebody_else"), HasSubstr("petlab_wrong_name.so")));
  EXPECT_THAT(reason("no_entry_symbol"),
              HasSubstr("not a petlab plugin: no symbol petlab_plugin_v1"));
  EXPECT_THAT(reason("undefined_symbol"),
              AllOf(HasSubstr("cannot load plugin petlab_undefined_symbol.so: "),
                    HasSubstr("undefined symbol"), HasSubstr("missing_in_every_library"),
                    Not(HasSubstr("dlerror"))));
  EXPECT_THAT(reason("truncated_header"), HasSubstr("not a shared library"));
  EXPECT_THAT(reason("truncated"), HasSubstr("cut short: 8192 bytes of at least "));
  EXPECT_THAT(reason("not_elf"), HasSubstr("not a shared library"));
}

TEST(PluginLoader, RefusesTheSecondPluginWithTheSameMethod) {
  const PluginRegistry plugins({.folders = {kBroken / "duplicate_method"}, .files = {}});
  ASSERT_EQ(plugins.plugins().size(), 1U);
  ASSERT_EQ(plugins.refused().size(), 1U);
  EXPECT_STREQ(plugins.plugins().front().descriptor->name, "duplicate_first");
  EXPECT_THAT(plugins.refused().front().reason,
              AllOf(HasSubstr("'fixture-duplicate'"), HasSubstr("petlab_duplicate_first.so")));
}

TEST(PluginLoader, TheFirstFolderWinsAndTheOtherFileIsListed) {
  const fs::path folder = fs::path(testing::TempDir()) / "shadow";
  fs::create_directories(folder);
  fs::copy_file(kBroken / "good" / "petlab_good.so", folder / "petlab_good.so",
                fs::copy_options::overwrite_existing);
  std::ofstream(folder / "notes.txt") << "passed over";
  std::ofstream(folder / "libother.so") << "passed over";
  const PluginRegistry plugins({.folders = {folder, kBroken / "good"}, .files = {}});
  ASSERT_EQ(plugins.plugins().size(), 1U);
  EXPECT_EQ(plugins.plugins().front().file, folder / "petlab_good.so");
  ASSERT_EQ(plugins.shadowed().size(), 1U);
  EXPECT_EQ(plugins.shadowed().front().file, kBroken / "good" / "petlab_good.so");
  EXPECT_TRUE(plugins.refused().empty());
  fs::remove_all(folder);
}

TEST(PluginLoader, AMissingFileIsRefused) {
  const PluginRegistry plugins({.folders = {}, .files = {"/no/petlab_such.so"}});
  ASSERT_EQ(plugins.refused().size(), 1U);
  EXPECT_THAT(plugins.refused().front().reason, HasSubstr("cannot be read"));
}

TEST(PluginLoader, AnUnknownNameSuggestsAndNamesRefusedPlugins) {
  const PluginRegistry plugins({.folders = {kPlugins, kBroken / "wrong_sdk_abi"}, .files = {}});
  try {
    (void)plugins.method("mmpa");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::config);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("no plugin has a method 'mmpa'; did you mean 'mmap'?"),
                      HasSubstr("petlab_wrong_sdk_abi.so")));
  }
}

TEST(PluginFolders, ComeInOrderAndMustExist) {
  setenv("PETLAB_PLUGIN_PATH", (kPlugins.string() + "::" + kBroken.string()).c_str(), 1);
  const auto folders = plugin_folders({kBroken});
  ASSERT_EQ(folders.size(), 4U);
  EXPECT_EQ(folders[0], kBroken);
  EXPECT_EQ(folders[1], kPlugins);
  EXPECT_EQ(folders[2], kBroken);
  EXPECT_EQ(folders[3], kPlugins);  // beside the folder of this program
  EXPECT_THROW((void)plugin_folders({"/no/such/folder"}), base::Error);
  setenv("PETLAB_PLUGIN_PATH", "/no/such/folder", 1);
  EXPECT_THROW((void)plugin_folders({}), base::Error);
  unsetenv("PETLAB_PLUGIN_PATH");
}

}  // namespace
}  // namespace petlab::study
