#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

// Several petlab on one store, and what becomes of the runs of one that dies or stands still.
namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const fs::path kThrows =
    fs::path(PETLAB_BINARY_DIR) / "lib" / "petlab-test-plugins" / "throws_in_changes";

/// Some seconds of training, so that a program can be stopped in the midst of it.
constexpr const char* kLongTraining = "epochs = 300\nbatch = 2";

/// True as soon as `happened` says so; false after two minutes.
bool wait_until(const std::function<bool()>& happened) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!happened()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

/// Moments in UTC compare like their texts, down to the second.
std::string to_the_second(const std::string& moment) {
  return moment.substr(0, 19);
}

TEST(Leases, TwoProgramsOnOneStoreDoNoRunTwice) {
  const Workshop workshop;
  const std::string study = workshop.write_study(
      "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
      "[row.coop]\nmethod = coop\nsharing = joint\noption.n-ctx = 4\n"
      "[row.vpt]\nmethod = vpt-deep\nsharing = per-task\n"
      "[row.broken]\nmethod = fixture-throws-in-changes\nsharing = joint\n");
  const auto arguments = run_arguments(study, "a.sqlite",
                                       {"--seeds", "1-3", "--workers", "2", "--threads", "1",
                                        "--no-table", "--plugin-dir", kThrows.string()});
  Program one(arguments, workshop.folder()), other(arguments, workshop.folder());
  const Output first = one.wait(), second = other.wait();
  const std::string both = first.out + second.out;
  EXPECT_EQ(first.exit_code, 1) << first.out << first.err;
  EXPECT_EQ(second.exit_code, 1) << second.out << second.err;

  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto runs = store.runs("small");
  ASSERT_EQ(runs.size(), 12U);
  for (const results::StudyRun& run : runs) {
    EXPECT_EQ(run.status, run.plan.row_label == "broken" ? RunStatus::failed : RunStatus::done)
        << run.error;
    EXPECT_EQ(run.attempts, 1) << run.plan.row_label;
  }
  EXPECT_EQ(count_of(both, "  accuracy "), 9U) << both;
  EXPECT_EQ(count_of(both, "FAILED after"), 3U) << both;
  EXPECT_THAT(store.leases(), IsEmpty());
}

TEST(Leases, RunsOfAKilledProgramAreTakenOverAtOnce) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kLongRow, kLongTraining);
  const auto arguments =
      run_arguments(study, "a.sqlite", {"--seeds", "1", "--threads", "1", "--lease", "3600"});
  {
    Program program(arguments, workshop.folder());
    ASSERT_GT(program.wait_for_child(/*seconds=*/0.3), 0);
    ::kill(program.pid(), SIGKILL);
    EXPECT_EQ(program.wait().exit_code, 128 + SIGKILL);
  }
  // An hour is longer than this test may take: the dead process was seen to be dead.
  const Output again = run_petlab(arguments, workshop.folder());
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  EXPECT_EQ(store.runs("small").at(0).status, RunStatus::done);
  EXPECT_EQ(store.runs("small").at(0).attempts, 1);
  EXPECT_THAT(store.leases(), IsEmpty());
}

TEST(Leases, AnotherHostIsRefusedUntilItsLeaseEnds) {
  const Workshop workshop;
  const std::string study =
      workshop.write_study("[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n");
  const auto arguments = run_arguments(study, "a.sqlite", {"--threads", "1"});
  const auto run_once = [&] { return run_petlab(arguments, workshop.folder()); };
  // The first pass tells the identities; the second finds the store without its runs.
  ASSERT_EQ(run_once().exit_code, 0);
  std::vector<results::StudyRun> runs;
  {
    const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
    runs = store.runs("small");
  }
  for (const char* file : {"a.sqlite", "a.sqlite-wal", "a.sqlite-shm"})
    fs::remove(workshop.folder() / file);
  std::string expires;
  {
    RunStore store(workshop.folder() / "a.sqlite");
    ASSERT_EQ(store.claim(runs.at(0).plan.hash, "far away, process 1 (12345678.1-2)",
                          std::chrono::seconds(5)),
              results::Claim::taken);
    expires = store.leases().at(0).expires;
  }
  const Output refused = run_once();
  EXPECT_EQ(refused.exit_code, 5) << refused.out << refused.err;
  EXPECT_THAT(refused.err, testing::AllOf(HasSubstr("host 'far away' works on it"),
                                          HasSubstr("petlab submit"), HasSubstr("petlab worker")));
  Output again = refused;
  EXPECT_TRUE(wait_until([&] { return (again = run_once()).exit_code == 0; }));
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto late = store.load(runs.at(0).plan.hash);
  ASSERT_TRUE(late.has_value());
  EXPECT_EQ(late->status, RunStatus::done);
  EXPECT_GE(to_the_second(late->started), to_the_second(expires));
  EXPECT_TRUE(store.has_done(runs.at(1).plan.hash));
}

TEST(Leases, AnInterruptedProgramGivesItsRunsBackAtOnce) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kLongRow, kLongTraining);
  Program program(run_arguments(study, "a.sqlite", {"--threads", "1", "--lease", "3600"}),
                  workshop.folder());
  ASSERT_GT(program.wait_for_child(/*seconds=*/0.3), 0);
  {
    const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
    EXPECT_THAT(store.leases(), Not(IsEmpty()));
  }
  ::kill(program.pid(), SIGTERM);
  EXPECT_EQ(program.wait().exit_code, 130);
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  EXPECT_THAT(store.leases(), IsEmpty());
}

TEST(Leases, AProgramThatStoodStillLeavesItsRunToTheOneThatTookIt) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kLongRow, kLongTraining);
  Program sleeper(
      run_arguments(study, "a.sqlite", {"--seeds", "1", "--threads", "1", "--lease", "1"}),
      workshop.folder());
  const pid_t child = sleeper.wait_for_child(/*seconds=*/0.3);
  ASSERT_GT(child, 0);
  ::kill(child, SIGSTOP);  // as when the machine is suspended: both at once
  ::kill(sleeper.pid(), SIGSTOP);

  Program other(run_arguments(study, "a.sqlite", {"--seeds", "1", "--threads", "1"}),
                workshop.folder());
  ASSERT_GT(other.wait_for_child(/*seconds=*/0.2), 0) << other.wait().out;
  ::kill(sleeper.pid(), SIGCONT);
  EXPECT_TRUE(wait_until([&] { return sleeper.children().empty(); }));
  const Output took = other.wait(), left = sleeper.wait();
  EXPECT_EQ(took.exit_code, 0) << took.out << took.err;
  EXPECT_EQ(left.exit_code, 0) << left.out << left.err;
  EXPECT_THAT(left.out, HasSubstr("left to another petlab"));
  EXPECT_THAT(left.out, HasSubstr("done by another petlab"));
  EXPECT_EQ(count_of(took.out + left.out, "  accuracy "), 1U);
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  EXPECT_EQ(store.runs("small").at(0).attempts, 1);
}

TEST(Leases, CtrlZStopsTheWorkersTooAndTheyGoOn) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kLongRow, kLongTraining);
  Program program(run_arguments(study, "a.sqlite", {"--seeds", "1", "--threads", "1"}),
                  workshop.folder());
  const pid_t child = program.wait_for_child(/*seconds=*/0.3);
  ASSERT_GT(child, 0);
  ::kill(program.pid(), SIGTSTP);
  ASSERT_TRUE(wait_until([&] { return state_of(program.pid()) == "T"; }));
  // A signal to another process takes effect after kill() has returned.
  EXPECT_TRUE(wait_until([&] { return state_of(child) == "T"; }));
  ::kill(program.pid(), SIGCONT);
  const Output output = program.wait();
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out, HasSubstr("[1/1]"));
}

TEST(Leases, PlanShowsWhoWorksOnARun) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kLongRow, "epochs = 100000\nbatch = 2");
  Program program(run_arguments(study, "a.sqlite", {"--seeds", "1", "--threads", "1"}),
                  workshop.folder());
  ASSERT_GT(program.wait_for_child(/*seconds=*/0.1), 0);
  const Output plan = run_petlab({"plan", study, "--store", "a.sqlite"}, workshop.folder());
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("process " + std::to_string(program.pid())));
  EXPECT_THAT(plan.out, HasSubstr("2 runs: 0 done, 0 failed, 1 running, 1 missing"));
  ::kill(program.pid(), SIGINT);
  EXPECT_EQ(program.wait().exit_code, 130);
}

}  // namespace
}  // namespace petlab::tests
