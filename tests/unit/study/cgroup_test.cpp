#include "cgroup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

// What a container leaves of the machine's CPUs.
namespace petlab::study {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class CgroupTest : public testing::Test {
 protected:
  CgroupTest() { fs::create_directories(mount_ / "lab" / "job"); }
  ~CgroupTest() override { fs::remove_all(mount_); }
  void limit(const fs::path& group, const std::string& text) const {
    std::ofstream(mount_ / group / "cpu.max") << text << "\n";
  }
  std::optional<double> quota() const { return cpu_quota(cgroup_folders(mount_, "0::/lab/job\n")); }

  fs::path mount_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(CgroupTest, FoldersLeadUpToTheMount) {
  EXPECT_THAT(cgroup_folders("/m", "12:cpu:/old\n0::/a/b\n"), ElementsAre("/m/a/b", "/m/a", "/m"));
  EXPECT_THAT(cgroup_folders("/m", "0::/\n"), ElementsAre("/m"));
  EXPECT_THAT(cgroup_folders("/m", "12:cpu:/old\n"), IsEmpty());
  EXPECT_THAT(cgroup_folders("/m", ""), IsEmpty());
}

TEST_F(CgroupTest, TheStrictestQuotaCounts) {
  EXPECT_EQ(quota(), std::nullopt);
  limit("lab/job", "max 100000");
  EXPECT_EQ(quota(), std::nullopt);
  limit("lab", "400000 100000");
  EXPECT_EQ(quota(), 4.0);
  limit("lab/job", "50000 100000");
  EXPECT_EQ(quota(), 0.5);
  limit("", "1000000 100000");
  EXPECT_EQ(quota(), 0.5);
}

TEST_F(CgroupTest, WhatIsNoQuotaIsPassedOver) {
  for (const char* text : {"", "0 100000", "-1 100000", "100000", "100000 0", "abc def"}) {
    limit("lab/job", text);
    EXPECT_EQ(quota(), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace petlab::study
