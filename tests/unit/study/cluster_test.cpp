#include "job_script.hpp"
#include "petlab/base/error.hpp"
#include "petlab/study/cluster_settings.hpp"
#include "petlab/study/submission.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace petlab::study {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ClusterFile : public testing::Test {
 protected:
  ClusterSettings read(const std::string& text) const {
    std::ofstream(file_) << text;
    return read_cluster_settings(file_);
  }
  std::string refusal(const std::string& text) const {
    try {
      (void)read(text);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::config);
      return error.what();
    }
    return "taken";
  }

  results::sample::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "cluster.ini";
};

TEST_F(ClusterFile, IsReadAndBecomesOptionsOfSbatch) {
  const ClusterSettings settings = read(
      "[cluster]\npartition = gpu\naccount = lab\nqos = high\ntime = 1-12:00:00\ngpus = a100:2\n"
      "cpus = 8\nmemory = 32G\nconstraint = a100|h100\nsetup = \"module load x; source y\"\n"
      "extra = --exclude=n7 --mail-type=FAIL\n");
  EXPECT_EQ(settings.setup, "module load x; source y");
  const auto options = sbatch_options(settings, "/jobs 100%", "demo");
  for (const char* option :
       {"--partition=gpu", "--account=lab", "--qos=high", "--time=1-12:00:00", "--gres=gpu:a100:2",
        "--cpus-per-task=8", "--mem=32G", "--constraint=a100|h100", "--exclude=n7",
        "--mail-type=FAIL", "--job-name=petlab-demo", "--output=/jobs 100%%/logs/%A_%a.log",
        "--requeue", "--signal=B:USR2@120"})
    EXPECT_THAT(options, Contains(option));
  EXPECT_THAT(job_script("/it's here", "/bin/petlab", settings.setup),
              AllOf(StartsWith("#!/bin/bash\nmodule load x; source y\n"),
                    HasSubstr("jobs='/it'\\''s here' program='/bin/petlab'")));
}

TEST_F(ClusterFile, SaysNothingWhereNothingIsAskedFor) {
  const auto options = sbatch_options(read("[cluster]\ngpus = 0\ncpus =\n"), "/jobs", "demo");
  EXPECT_THAT(options, Contains("--cpus-per-task=1"));
  for (const char* name : {"--gres", "--mem", "--partition", "--time"})
    EXPECT_THAT(options, Not(Contains(StartsWith(name))));
}

TEST_F(ClusterFile, RefusesWhatItDoesNotKnowWithALine) {
  EXPECT_THAT(refusal("[cluster]\npartitoin = gpu\n"),
              AllOf(HasSubstr("cluster.ini:2"), HasSubstr("did you mean 'partition'?")));
  EXPECT_THAT(refusal("[slurm]\npartition = gpu\n"), HasSubstr("expected [cluster]"));
  for (const char* line :
       {"time = 4",           "time = 0:30:00:00", "time = soon",    "time = 1:2:3:4",
        "time = 99-99:99:99", "time = 1-24",       "time = 1:60:00", "time = 10:60",
        "time = 1-01:60",     "gpus = a100:0",     "gpus = a100:00", "gpus = :1",
        "cpus = 0",           "cpus = many",       "gpus = all",     "memory = 8 G",
        "memory = 0G",        "partition = a b",   "extra = -w n1",  "extra = n1"})
    EXPECT_THAT(refusal(std::string("[cluster]\n") + line + "\n"),
                AllOf(HasSubstr("cluster.ini:2"), HasSubstr("expected ")))
        << line;
  for (const char* line : {"time = 5", "time = 5:00", "time = 00:05:00", "time = 1-0",
                           "time = 2-04:30", "time = 1-23:59:59", "time = 90:00", "time = 48:00:00",
                           "gpus = 0", "gpus = a100:10", "gpus = 2", "memory = 4000", "extra ="})
    EXPECT_EQ(refusal(std::string("[cluster]\n") + line + "\n"), "taken") << line;
}

TEST(ClusterKeys, TheTableOfTheDocumentIsThatOfTheProgram) {
  std::stringstream text;
  text << std::ifstream(PETLAB_SOURCE_DIR "/harness/study/CLUSTER.md").rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("\n\n" + cluster_key_table() + "\n"))
      << "put what `petlab describe --cluster-keys` prints in the place of the table";
}

TEST(Bundle, PutsShortRunsTogetherAndUnknownOnesApart) {
  const std::optional<double> none;
  EXPECT_THAT(bundle({}, 10.0), IsEmpty());
  EXPECT_THAT(bundle({30.0, 20.0, 20.0, 5.0}, 1.0),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
  EXPECT_THAT(bundle({1.0, none, 1.0, 1.0}, 1.0),
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2, 3)));
  EXPECT_THAT(bundle({500.0, 1.0}, 1.0), ElementsAre(ElementsAre(0), ElementsAre(1)))
      << "a run that is longer than a job should be is a job of its own";
  EXPECT_THAT(bundle({1.0, 1.0}, 0.0), ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(SubmissionText, ArraysAreNoLongerThanTheClusterAllows) {
  const SubmitOptions options{
      .settings = {}, .program = "/bin/petlab", .study = "demo", .at_once = 4};
  const SubmissionText text = submission_text("/jobs", 25, options, 10);
  ASSERT_EQ(text.calls.size(), 3U);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"--array=0-9%4", "0"}, {"--array=0-9%4", "10"}, {"--array=0-4%4", "20"}};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_THAT(text.calls[i], Contains(expected[i].first));
    EXPECT_EQ(text.calls[i].back(), expected[i].second);
  }
}

TEST(QueueEntry, StatesThatAreNotKnownAreOnTheirWay) {
  const auto is_active = [](const std::string& state) {
    return QueueEntry{.job = "1", .state = state}.is_active();
  };
  for (const char* state : {"PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "REQUEUED",
                            "REQUEUE_HOLD", "SUSPENDED", "SOMETHING_NEW"})
    EXPECT_TRUE(is_active(state)) << state;
  for (const char* state : {"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED",
                            "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"})
    EXPECT_FALSE(is_active(state)) << state;
}

}  // namespace
}  // namespace petlab::study
