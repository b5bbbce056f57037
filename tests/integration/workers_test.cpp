#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <signal.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

namespace petlab::tests {
namespace {

using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::set<int> affinity_of(pid_t pid) {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(pid, sizeof set, &set), 0);
  std::set<int> cpus;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.insert(static_cast<int>(cpu));
  return cpus;
}

std::string environment_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Rows that are all different runs: CoOp with 1 to `n` context words.
std::string tiny_rows(int n) {
  std::string rows;
  for (int words = 1; words <= n; ++words)
    rows += "[row.coop-" + std::to_string(words) +
            "]\nmethod = coop\nsharing = joint\noption.n-ctx = " + std::to_string(words) + "\n";
  return rows;
}

TEST(Workers, EightOverManyTinyRunsLoseAndDuplicateNothing) {
  const Workshop workshop;
  const std::string study = workshop.write_study(tiny_rows(8), "epochs = 2\nbatch = 8");
  const Output output = run_petlab(
      run_arguments(study, "a.sqlite",
                    {"--seeds", "1-15", "--workers", "8", "--threads", "1", "--no-table"}),
      workshop.folder());
  ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out, HasSubstr("[120/120]"));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto runs = store.runs("small");
  ASSERT_EQ(runs.size(), 120U);
  std::set<std::string> identities;
  for (const results::StudyRun& run : runs) {
    EXPECT_EQ(run.status, RunStatus::done) << run.plan.row_label << ": " << run.error;
    EXPECT_EQ(run.attempts, 1) << run.plan.row_label;
    identities.insert(run.plan.hash);
    // Each run is told of once, as done.
    std::ostringstream name;
    name << run.plan.row_label << " seed " << run.plan.seed << " ";
    const auto first = output.out.find(name.str());
    ASSERT_NE(first, std::string::npos) << name.str();
    EXPECT_EQ(output.out.find(name.str(), first + 1), std::string::npos) << name.str();
  }
  EXPECT_EQ(identities.size(), 120U);
  EXPECT_TRUE(store.leases().empty());
}

TEST(Workers, EachHasCpusAndThreadsOfItsOwn) {
  const std::set<int> all = affinity_of(/*pid=*/0);
  if (all.size() < 2) GTEST_SKIP() << "one CPU cannot be shared out";
  const Workshop workshop;
  const std::string study = workshop.write_study("[row.long]\nmethod = vpt-deep\nsharing = joint\n",
                                                 "epochs = 100000\nbatch = 2");
  Program program(
      run_arguments(study, "a.sqlite", {"--seeds", "1-3", "--workers", "2", "--threads", "1"}),
      workshop.folder());
  ASSERT_GT(program.wait_for_child(/*seconds=*/0.0), 0);
  for (int i = 0; i < 3000 && program.children().size() < 2; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const std::vector<pid_t> children = program.children();
  ASSERT_EQ(children.size(), 2U);
  std::set<int> joined;
  std::size_t sum = 0;
  for (const pid_t child : children) {
    const std::set<int> own = affinity_of(child);
    EXPECT_GE(own.size(), all.size() / 2);
    sum += own.size();
    joined.insert(own.begin(), own.end());
    EXPECT_THAT(environment_of(child),
                AllOf(HasSubstr("OMP_NUM_THREADS=1"), HasSubstr("GOMP_SPINCOUNT=10000")));
  }
  EXPECT_EQ(joined, all);
  EXPECT_EQ(sum, all.size());
  // The program itself takes a worker's CPUs only for the moment in which it starts one.
  for (int i = 0; i < 3000 && affinity_of(program.pid()) != all; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(affinity_of(program.pid()), all);
  EXPECT_THAT(program.printed(), HasSubstr("parallel runs, 1 pinned thread each"));
  ::kill(program.pid(), SIGINT);
  EXPECT_EQ(program.wait().exit_code, 130);
}

TEST(Workers, PlanExpectsOfARunWhatRunsLikeItCost) {
  const Workshop workshop;
  const std::string study = workshop.write_study(
      "[row.coop]\nmethod = coop\nsharing = joint\noption.n-ctx = 4\n"
      "[row.per-task]\nmethod = coop\nsharing = per-task\noption.n-ctx = 4\n");
  const auto plan = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"plan", study, "--store", "a.sqlite", "--workers", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Output output = run_petlab(arguments, workshop.folder());
    EXPECT_EQ(output.exit_code, 0) << output.err;
    return output.out;
  };
  EXPECT_THAT(plan({}), AllOf(HasSubstr("4 missing"), HasSubstr("unknown, no run like them")));
  const Output run = run_petlab(
      run_arguments(study, "a.sqlite", {"--seeds", "1", "--rows", "coop"}), workshop.folder());
  ASSERT_EQ(run.exit_code, 0) << run.err;

  const std::string coop = plan({"--rows", "coop", "--seeds", "1,2"});
  EXPECT_THAT(coop, AllOf(HasSubstr("~"), HasSubstr("MiB"), Not(HasSubstr("unknown")),
                          HasSubstr("Expected for the 1 left: ")));
  EXPECT_THAT(plan({"--seeds", "1,2"}),
              AllOf(HasSubstr("Expected for the 3 left: "), HasSubstr("and 2 of them unknown")));
  // A run of less than a second for two epochs takes hours for a million.
  EXPECT_THAT(plan({"--rows", "coop", "--seeds", "1", "--epochs", "1000000"}), HasSubstr(" h "));
}

}  // namespace
}  // namespace petlab::tests
