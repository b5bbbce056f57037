#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"
#include "stored_results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using testing::HasSubstr;

// Every kind of state: prompts and a grouping found by gradients, one adapter a task with random
// views, a whole copy of the weights under AdamW, dropout.
constexpr const char* kResumedRows =
    "[row.mmap]\nmethod = mmap\nsharing = grouped+specific\ngrouping = gradient\noption.b = 4\n"
    "[row.vpt]\nmethod = vpt-deep\nsharing = per-task\n"
    "[row.full]\nmethod = full-fine-tuning\nsharing = joint\noptimizer = adamw\n"
    "[row.lora]\nmethod = lora\nsharing = joint\n";
constexpr const char* kTraining = "epochs = 40\nbatch = 2\naugmentation = crop-flip";

std::vector<std::string> arguments(const std::string& study, const std::string& store) {
  return {"run",          study,  "--store",    store,   "--cache-dir",     "cache",
          "--seeds",      "1",    "--workers",  "2",     "--threads",       "1",
          "--checkpoint", "0.02", "--no-table", "--set", "study.name=small"};
}

TEST(Resume, KilledAtFiftyRandomMomentsAStudyEndsWithTheSameBits) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kResumedRows, kTraining);
  const auto begin = std::chrono::steady_clock::now();
  const Output whole = run_petlab(arguments(study, "whole.sqlite"), workshop.folder());
  ASSERT_EQ(whole.exit_code, 0) << whole.out << whole.err;
  const auto expected = stored_results(workshop.folder() / "whole.sqlite");
  ASSERT_EQ(expected.size(), 4U);

  // The moments differ from one execution to the next; the numbers that come out must not.
  std::mt19937 random(std::random_device{}());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  std::uniform_real_distribution<double> moment(0.05, std::max(1.2, taken.count()));
  int kills = 0, studies = 0;
  std::int64_t resumed = 0;
  while (kills < 50) {
    const std::string name = "killed" + std::to_string(++studies) + ".sqlite";
    for (bool complete = false; !complete;) {
      Program program(arguments(study, name), workshop.folder());
      if (kills < 50) {
        std::this_thread::sleep_for(std::chrono::duration<double>(moment(random)));
        if (::kill(program.pid(), SIGKILL) == 0) ++kills;
      }
      const Output output = program.wait();
      complete = output.exit_code == 0;
      ASSERT_TRUE(complete || output.exit_code == 128 + SIGKILL) << output.out << output.err;
    }
    EXPECT_EQ(stored_results(workshop.folder() / name), expected) << "after " << kills << " kills";
    const RunStore store(workshop.folder() / name, OpenMode::read_only);
    for (const results::StudyRun& run : store.runs("small")) {
      EXPECT_EQ(run.attempts, 1);
      resumed += store.load(run.plan.hash, results::LoadDetail::without_predictions)->resumed;
    }
    std::vector<std::string> left;
    for (const auto& entry : fs::directory_iterator(workshop.folder() / (name + ".checkpoints")))
      left.push_back(entry.path().filename().string());
    EXPECT_THAT(left, testing::IsEmpty());
  }
  EXPECT_GT(resumed, 0) << "no kill met a run that had a checkpoint";

  // And the page that one would publish is the same, but for what a clock or a meter said.
  const auto page = [&](const std::string& store) {
    const Output report = run_petlab({"report", "--store", store, "--without-times", "--out",
                                      store + ".report", "--format", "markdown,csv,latex,html"},
                                     workshop.folder());
    EXPECT_EQ(report.exit_code, 0) << report.err;
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(workshop.folder() / (store + ".report"))) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      files[entry.path().filename().string()] = {std::istreambuf_iterator<char>(in), {}};
    }
    return files;
  };
  const auto expected_page = page("whole.sqlite");
  EXPECT_EQ(expected_page.size(), 7U);
  EXPECT_EQ(page("killed1.sqlite"), expected_page);
}

TEST(Resume, TestLabelsAreReadAfterTraining) {
  const Workshop workshop;
  const std::string study = workshop.write_study("[row.vpt]\nmethod = vpt-deep\nsharing = joint\n",
                                                 "epochs = 60\nbatch = 2");
  Program program(arguments(study, "a.sqlite"), workshop.folder());
  ASSERT_GT(program.wait_for_child(/*seconds=*/0.0), 0);
  // The file with the test labels goes while the run is at work: training does not miss it, only
  // the evaluation does.
  int removed = 0;
  for (const auto& entry : fs::directory_iterator(workshop.folder() / "cache" / "splits"))
    if (entry.path().string().ends_with(".test.json")) removed += fs::remove(entry.path()) ? 1 : 0;
  EXPECT_EQ(removed, 1);
  const Output output = program.wait();
  EXPECT_EQ(output.exit_code, 1);
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto run = store.runs("small").at(0);
  ASSERT_EQ(run.status, RunStatus::failed);
  EXPECT_THAT(run.error, testing::AllOf(HasSubstr("split sheet"), HasSubstr("(in evaluate)")));
  EXPECT_EQ(store.load(run.plan.hash)->epochs.size(), 60U);
}

}  // namespace
}  // namespace petlab::tests
