#include "petlab/study/plugin_loader.hpp"

#include "descriptor_checks.hpp"
#include "elf_file.hpp"
#include "petlab/sdk/plugin.hpp"
#include "runs_at_load.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

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
  EXPECT_THAT(reason("no_record"),
              AllOf(HasSubstr("no section .petlab.plugin"), HasSubstr("build it again")));
  EXPECT_THAT(reason("garbage_record"),
              HasSubstr("not a petlab plugin: its section .petlab.plugin does not begin with"));
  EXPECT_THAT(reason("short_record"), HasSubstr(".petlab.plugin has 8 bytes, expected " +
                                                std::to_string(sizeof(sdk::PluginRecord))));
  EXPECT_THAT(reason("truncated_header"), HasSubstr("not a shared library"));
  EXPECT_THAT(reason("truncated"), HasSubstr("cut short: 8192 bytes of at least "));
  EXPECT_THAT(reason("not_elf"), HasSubstr("not a shared library"));
}

/// The file that a plugin of the tests writes when its constructors run.
class ConstructorFile {
 public:
  ConstructorFile() {
    fs::remove(file_);
    setenv(tests::kLoadedFileVariable, file_.c_str(), 1);
  }
  ~ConstructorFile() {
    unsetenv(tests::kLoadedFileVariable);
    fs::remove(file_);
  }
  ConstructorFile(const ConstructorFile&) = delete;
  ConstructorFile& operator=(const ConstructorFile&) = delete;

  [[nodiscard]] bool is_written() const { return fs::exists(file_); }

 private:
  fs::path file_ = fs::path(testing::TempDir()) / ("loaded-" + std::to_string(::getpid()));
};

TEST(PluginLoader, NoConstructorOfARefusedPluginRuns) {
  const ConstructorFile file;
  EXPECT_THAT(reason("runs_at_load_wrong_build"), HasSubstr("'gcc 4.9; c++ 201402; cxx11-abi 0'"));
  for (const char* name : {"no_record", "garbage_record", "short_record"})
    EXPECT_NE(reason(name), "");
  EXPECT_FALSE(file.is_written());
  // The same constructor in a plugin that is loaded: it would have been seen.
  EXPECT_EQ(reason("runs_at_load"), "");
  EXPECT_TRUE(file.is_written());
}

/// Whatever stands in its tables, a file is read or refused with a sentence.
TEST(PluginLoader, ADamagedFileIsRefusedWithoutBeingLoaded) {
  std::ifstream in(kBroken / "good" / "petlab_good.so", std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  ASSERT_GT(good.size(), sizeof(Elf64_Ehdr));
  Elf64_Ehdr header{};
  std::memcpy(&header, good.data(), sizeof header);
  const fs::path file = fs::path(testing::TempDir()) / "petlab_good.so";
  const auto reason_of = [&](const std::string& bytes) -> std::string {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    try {
      ElfFile library(file);
      return check_record(library, "petlab_good.so");
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::plugin);
      EXPECT_STRNE(error.what(), "");
      return error.what();
    }
  };
  EXPECT_EQ(reason_of(good), "");
  // Every byte of the header, and of the table of sections, at its extremes.
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < sizeof(Elf64_Ehdr); ++i)
    places.push_back(i);
  const std::size_t table = std::size_t{header.e_shnum} * sizeof(Elf64_Shdr);
  for (std::size_t i = 0; i < table; i += 7)
    places.push_back(header.e_shoff + i);
  for (const std::size_t place : places)
    for (const char value : {'\0', '\xff'}) {
      std::string bytes = good;
      bytes.at(place) = value;
      (void)reason_of(bytes);
    }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{3}, sizeof(Elf64_Ehdr) - 1, good.size() / 2, good.size() - 1})
    EXPECT_NE(reason_of(good.substr(0, size)), "") << size;
  fs::remove(file);
}

TEST(PluginLoader, ATextWithoutEndInTheRecordIsRefused) {
  std::ifstream in(kBroken / "good" / "petlab_good.so", std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  // The record is where its magic number, SDK ABI and size stand one behind the other.
  std::string begin(16, '\0');
  const sdk::PluginRecord empty;
  std::memcpy(begin.data(), &empty, begin.size());
  const std::size_t place = bytes.find(begin);
  ASSERT_NE(place, std::string::npos);
  ASSERT_EQ(bytes.find(begin, place + 1), std::string::npos);
  bytes.replace(place + offsetof(sdk::PluginRecord, name), sizeof(sdk::PluginRecord::name),
                std::string(sizeof(sdk::PluginRecord::name), 'x'));
  const fs::path folder = fs::path(testing::TempDir()) / "endless";
  fs::create_directories(folder);
  std::ofstream(folder / "petlab_good.so", std::ios::binary) << bytes;
  const PluginRegistry plugins({.folders = {folder}, .files = {}});
  ASSERT_EQ(plugins.refused().size(), 1U);
  EXPECT_THAT(plugins.refused().front().reason, HasSubstr("a text in it has no end"));
  fs::remove_all(folder);
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
