#include "petlab/study/cpu_shares.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

/// The calling thread's CPUs, asked for without the code under test.
std::set<int> affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  std::set<int> cpus;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.insert(static_cast<int>(cpu));
  return cpus;
}

TEST(CpuShares, EachWorkerHasCpusOfItsOwnAndNoneIsLeftOver) {
  EXPECT_THAT(share_cpus({0, 1, 2, 3}, 2, 1), ElementsAre(CpuSet{0, 1}, CpuSet{2, 3}));
  EXPECT_THAT(share_cpus({4, 5, 6, 7, 8}, 2, 2), ElementsAre(CpuSet{4, 5}, CpuSet{6, 7, 8}));
  EXPECT_THAT(share_cpus({0, 4, 1, 5}, 4, 1),
              ElementsAre(CpuSet{0}, CpuSet{4}, CpuSet{1}, CpuSet{5}));
  for (int cpus = 2; cpus <= 70; ++cpus)
    for (int workers = 2; workers <= cpus; ++workers) {
      CpuSet all;
      for (int cpu = 0; cpu < cpus; ++cpu)
        all.push_back(cpu);
      CpuSet joined;
      for (const CpuSet& share : share_cpus(all, workers, cpus / workers)) {
        EXPECT_GE(share.size(), static_cast<std::size_t>(cpus / workers));
        EXPECT_LE(share.size(), static_cast<std::size_t>(cpus / workers + 1));
        joined.insert(joined.end(), share.begin(), share.end());
      }
      EXPECT_EQ(joined, all) << cpus << " CPUs, " << workers << " workers";
    }
}

TEST(CpuShares, TooFewCpusAndASingleWorkerAreNotPinned) {
  EXPECT_THAT(share_cpus({0, 1, 2, 3}, 2, 3), IsEmpty());
  EXPECT_THAT(share_cpus({0, 1}, 8, 1), IsEmpty());
  EXPECT_THAT(share_cpus({0, 1, 2, 3}, 1, 2), IsEmpty());
}

TEST(CpuShares, ThreadsOfOneCoreStayTogether) {
  // Two sockets of two cores with two threads each, numbered as Linux often does: 0 and 4 share a
  // core, and so on.
  const fs::path system = fs::path(testing::TempDir()) / "petlab_cpus";
  fs::remove_all(system);
  for (int cpu = 0; cpu < 8; ++cpu) {
    const fs::path topology = system / ("cpu" + std::to_string(cpu)) / "topology";
    fs::create_directories(topology);
    std::ofstream(topology / "physical_package_id") << (cpu % 4) / 2 << "\n";
    std::ofstream(topology / "core_id") << cpu % 2 << "\n";
  }
  EXPECT_THAT(by_core({0, 1, 2, 3, 4, 5, 6, 7}, system), ElementsAre(0, 4, 1, 5, 2, 6, 3, 7));
  EXPECT_THAT(by_core({5, 4, 1}, system), ElementsAre(4, 1, 5));
  fs::remove_all(system);
  EXPECT_THAT(by_core({5, 4, 1}, system), ElementsAre(1, 4, 5));
}

TEST(CpuShares, AScopeRestrictsTheThreadAndEnds) {
  const std::set<int> before = affinity();
  const CpuSet allowed = allowed_cpus();
  EXPECT_EQ(std::set<int>(allowed.begin(), allowed.end()), before);
  {
    const CpuScope scope({allowed.back()});
    EXPECT_EQ(affinity(), std::set<int>{allowed.back()});
  }
  EXPECT_EQ(affinity(), before);
  {
    const CpuScope scope({});
    EXPECT_EQ(affinity(), before);
  }
}

}  // namespace
}  // namespace petlab::study
