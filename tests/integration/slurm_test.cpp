#include "petlab/results/run_store.hpp"
#include "slurm_fixture.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

// Studies on a cluster: the Slurm of the system, started by slurm_cluster.sh, with two nodes on
// this machine. One after the other: the tests share it.
namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.vpt]\nmethod = vpt-deep\nsharing = joint\n";
/// Some seconds of training, so that something can happen to it.
constexpr const char* kLongTraining = "epochs = 500\nbatch = 2\naugmentation = crop-flip";

TEST_F(SlurmTest, AStudyComesBackAsATableWithTheBitsOfOneMachine) {
  const std::string study = workshop_.write_study(kRows);
  run_undisturbed(study);
  std::ofstream(workshop_.folder() / "cluster.ini")
      << "[cluster]\npartition = main\ngpus = 1\ntime = 10\nmemory = 500M\n"
         "setup = \"echo it is set up\"\nextra = --comment=petlab\n";
  const Output dry = call("submit", study, {"--dry-run", "--at-once", "2"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_THAT(dry.out, AllOf(HasSubstr("--array=0-3%2"), HasSubstr("--partition=main"),
                             HasSubstr("--time=10"), HasSubstr("--gres=gpu:1"),
                             HasSubstr("--signal=B:USR2@120"), HasSubstr("echo it is set up"),
                             HasSubstr("task 3: vpt seed 2")));
  EXPECT_FALSE(fs::exists(workshop_.folder() / "a.sqlite"));
  EXPECT_THAT(shell("squeue -h").text, IsEmpty());

  Program program({"run", study, "--store", "a.sqlite", "--cache-dir", "cache", "--executor",
                   "slurm", "--poll", "1", "--at-once", "2"},
                  workshop_.folder());
  const Output output = finish(program);
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out, AllOf(HasSubstr("4 runs submitted to Slurm as job"),
                                HasSubstr("4 done, 0 failed"), HasSubstr("zero-shot")));
  EXPECT_THAT(logs(), AllOf(HasSubstr("it is set up"), HasSubstr("GPU 0")));
  expect_the_same_bits();
  EXPECT_THAT(call("plan", study).out, HasSubstr("4 runs: 4 done, 0 failed, 0 running, 0 missing"));
  EXPECT_THAT(call("submit", study).out, HasSubstr("0 to submit"));
}

TEST_F(SlurmTest, TheTimeLimitLeavesACheckpointAndTheTaskGoesOn) {
  const std::string study = workshop_.write_study(kVptRow, kLongTraining);
  run_undisturbed(study, {"--seeds", "1"});
  Program program(arguments("run", study, {"--seeds", "1", "--checkpoint", "3600"}),
                  workshop_.folder());
  const std::string task = wait_for_training();
  ASSERT_FALSE(task.empty());
  // What Slurm does two minutes before the limit.
  EXPECT_EQ(shell("scancel --signal=USR2 --batch " + task).code, 0);
  const Output output = finish(program);
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err << logs();
  EXPECT_EQ(only_run().resumed, 1);
  EXPECT_THAT(logs(), AllOf(HasSubstr("ended with 75"), HasSubstr("restart 1")));
  EXPECT_EQ(
      lines_of(shell("squeue -h -r -t all -o %A -j " + task.substr(0, task.find('_'))).text).size(),
      1U)
      << "it was requeued, not submitted again";
  expect_the_same_bits();
}

TEST_F(SlurmTest, ANodeThatIsLostCostsWhatItDidSinceTheCheckpoint) {
  const std::string study = workshop_.write_study(kVptRow, kLongTraining);
  run_undisturbed(study, {"--seeds", "1"});
  Program program(arguments("run", study, {"--seeds", "1", "--checkpoint", "0.05"}),
                  workshop_.folder());
  const std::string task = wait_for_training();
  ASSERT_FALSE(task.empty());
  const std::string node = lines_of(shell("squeue -h -t R -o %N").text).at(0);
  const Output plan = call("plan", study, {"--seeds", "1"});
  EXPECT_THAT(plan.out, AllOf(HasSubstr("running"), HasSubstr("job " + task + " on " + node),
                              HasSubstr(", train ")));
  (void)shell("scontrol update NodeName=" + node + " State=DOWN Reason=test");
  const Output output = finish(program);
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err << logs();
  EXPECT_GE(only_run().resumed, 1);
  expect_the_same_bits();
}

TEST_F(SlurmTest, ASilentNodeThatComesBackComputesTheRunTwiceAndItIsThereOnce) {
  const std::string study = workshop_.write_study(kVptRow, "epochs = 1200\nbatch = 2");
  Program program(arguments("run", study, {"--seeds", "1"}), workshop_.folder());
  ASSERT_FALSE(wait_for_training().empty());
  const std::string node = lines_of(shell("squeue -h -t R -o %N").text).at(0);
  const std::string daemon =
      lines_of(shell("cat '" + (folder_ / node / "slurmd.pid").string() + "'").text).at(0);
  // The daemon says nothing any more; what it started goes on.
  (void)shell("kill -STOP " + daemon);
  EXPECT_TRUE(wait_until([&] {
    return shell("sinfo -h -N -n " + node + " -p main -o %T").text.find("down") !=
           std::string::npos;
  })) << shell("sinfo -N -l").text;
  EXPECT_TRUE(wait_until([&] { return logs().find("restart 1") != std::string::npos; }));
  (void)shell("kill -CONT " + daemon);
  const Output output = finish(program);
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err << logs();
  const RunStore store(workshop_.folder() / "a.sqlite", OpenMode::read_only);
  const auto runs = store.runs("small");
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].status, RunStatus::done);
  EXPECT_EQ(runs[0].attempts, 1);
  const Output late = run_petlab({"collect", "--store", "a.sqlite"}, workshop_.folder());
  EXPECT_EQ(late.exit_code, 0) << late.err;
}

TEST_F(SlurmTest, APreemptedTaskGoesOnWhenItsTurnComes) {
  // Longer than Slurm may take to look at the urgent job.
  const std::string study = workshop_.write_study(kVptRow, "epochs = 2000\nbatch = 2");
  run_undisturbed(study, {"--seeds", "1"});
  Program program(arguments("run", study, {"--seeds", "1", "--checkpoint", "3600"}),
                  workshop_.folder());
  ASSERT_FALSE(wait_for_training().empty());
  EXPECT_EQ(shell("sbatch -p urgent -N 2 -o /dev/null --wrap 'sleep 1'").code, 0);
  const Output output = finish(program);
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err << logs();
  EXPECT_EQ(only_run().resumed, 1);
  EXPECT_THAT(logs(), HasSubstr("restart 1"));
  expect_the_same_bits();
}

TEST_F(SlurmTest, WhatIsCancelledStaysSo) {
  const std::string study = workshop_.write_study(kVptRow, "epochs = 100000\nbatch = 2");
  Program program(arguments("run", study, {"--at-once", "1"}), workshop_.folder());
  ASSERT_FALSE(wait_for_training().empty());
  const Output plan = call("plan", study);
  EXPECT_THAT(plan.out, AllOf(HasSubstr("queued"), HasSubstr("1 running, 1 queued, 0 missing")));
  EXPECT_THAT(call("submit", study).out, HasSubstr("2 queued or running, 0 to submit"));
  const Output cancel = call("cancel", study);
  EXPECT_EQ(cancel.exit_code, 0) << cancel.err;
  EXPECT_THAT(cancel.out, HasSubstr("2 jobs cancelled"));
  const Output output = finish(program);
  EXPECT_EQ(output.exit_code, 1) << output.out << output.err;
  EXPECT_THAT(output.err, HasSubstr("2 runs were cancelled and stay so"));
  EXPECT_TRUE(wait_until([] { return shell("squeue -h").text.empty(); }));
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_THAT(shell("squeue -h").text, IsEmpty()) << "a cancelled task came back";
  EXPECT_THAT(call("plan", study).out,
              AllOf(HasSubstr("its job was cancelled"), HasSubstr("0 running, 2 missing")));
  // Its checkpoint is where the next job goes on.
  EXPECT_FALSE(fs::is_empty(workshop_.folder() / "a.sqlite.checkpoints"));
}

TEST_F(SlurmTest, WithoutItsControllerNothingIsReservedAndAWatcherWaits) {
  const std::string study = workshop_.write_study(kVptRow, kLongTraining);
  ASSERT_EQ(cluster("controller-stop").code, 0);
  for (const char* command : {"submit", "run"}) {
    const Output output = call(command, study, {"--seeds", "1"});
    EXPECT_EQ(output.exit_code, 8) << output.out << output.err;
    EXPECT_THAT(output.err, HasSubstr("squeue failed"));
  }
  EXPECT_FALSE(fs::exists(workshop_.folder() / "a.sqlite.jobs"));
  ASSERT_EQ(cluster("controller-start").code, 0);
  ASSERT_TRUE(wait_until([] { return shell("squeue -h").code == 0; }));

  Program program(arguments("run", study, {"--seeds", "1"}), workshop_.folder());
  ASSERT_FALSE(wait_for_training().empty());
  ASSERT_EQ(cluster("controller-stop").code, 0);
  const Output plan = call("plan", study, {"--seeds", "1"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("What was submitted is not known at the moment"));
  std::this_thread::sleep_for(std::chrono::seconds(2));
  ASSERT_EQ(cluster("controller-start").code, 0);
  const Output output = finish(program);
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err << logs();
  EXPECT_THAT(output.err, HasSubstr("asks Slurm again and again"));
  EXPECT_EQ(only_run().status, RunStatus::done);
}

TEST_F(SlurmTest, AFullSpoolCostsAJobAndNotTheRun) {
  if (::geteuid() != 0 || shell("unshare -m true").code != 0)
    GTEST_SKIP() << "needs root to mount a small disk";
  const std::string study = workshop_.write_study(kVptRow, kLongTraining);
  ::setenv("PETLAB_PATIENCE", "1", 1);
  Program program(arguments("run", study, {"--seeds", "1", "--checkpoint", "0.05"}),
                  workshop_.folder());
  ::unsetenv("PETLAB_PATIENCE");
  ASSERT_FALSE(wait_for_training().empty());
  const std::string spool = (workshop_.folder() / "a.sqlite.jobs" / "1" / "spool").string();
  if (shell("mount -t tmpfs -o size=4k none '" + spool + "'").code != 0) {
    (void)call("cancel", study, {"--seeds", "1"});
    GTEST_SKIP() << "needs to mount a small disk";
  }
  EXPECT_TRUE(wait_until([&] { return logs().find("ended with 5") != std::string::npos; }))
      << logs();
  EXPECT_EQ(shell("umount '" + spool + "'").code, 0);
  const Output output = finish(program);
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err << logs();
  EXPECT_THAT(logs(), HasSubstr("No space left"));
  EXPECT_GE(only_run().resumed, 1);
}

TEST_F(SlurmTest, ASearchRunsBothStages) {
  const std::string study = workshop_.write_study(
      "[row.probe]\nmethod = linear-probe\nsharing = joint\n"
      "[search]\nspace.learning-rate = 1e-9,0.02\nseeds = 1\nvalidation-fraction = 0.5\n");
  EXPECT_THAT(call("submit", study, {"--dry-run"}).out,
              AllOf(HasSubstr("Study small/search: 2 runs"), HasSubstr("waits for its search")));
  Program program(arguments("run", study, {"--minutes", "10"}), workshop_.folder());
  const Output output = finish(program);
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err << logs();
  EXPECT_THAT(output.out, AllOf(HasSubstr("small/search: 2 done"),
                                HasSubstr("Chosen for row probe"), HasSubstr("small: 2 done")));
}

TEST_F(SlurmTest, OfSixtyTinyRunsNoneIsLostAndNoneIsDouble) {
  const std::string study =
      workshop_.write_study("[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n");
  // One run tells what the others cost; then several make a job.
  ASSERT_EQ(run_petlab(run_arguments(study, "a.sqlite", {"--seeds", "1", "--no-table"}),
                       workshop_.folder())
                .exit_code,
            0);
  // Two at the same time submit no run twice.
  const std::vector<std::string> sixty = {"--seeds", "1-60", "--minutes", "0.01"};
  Program one(arguments("submit", study, sixty), workshop_.folder());
  Program other(arguments("submit", study, sixty), workshop_.folder());
  const Output first = one.wait(), second = other.wait();
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(first.out + second.out,
              AllOf(HasSubstr("59 to submit"), HasSubstr("0 to submit"), HasSubstr("59 runs in ")));
  Program program(arguments("run", study, sixty), workshop_.folder());
  const Output output = finish(program);
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out, Not(HasSubstr("submitted to Slurm")));
  const RunStore store(workshop_.folder() / "a.sqlite", OpenMode::read_only);
  const auto runs = store.runs("small");
  EXPECT_EQ(runs.size(), 60U);
  for (const results::StudyRun& run : runs) {
    EXPECT_EQ(run.status, RunStatus::done) << run.plan.seed;
    EXPECT_EQ(run.attempts, 1);
  }
  std::size_t published = 0;
  for (const auto& line : lines_of(logs()))
    if (line.find("ended with 0") != std::string::npos) ++published;
  EXPECT_EQ(published, 59U);
}

}  // namespace
}  // namespace petlab::tests
