#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"
#include "stored_results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <set>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kManyRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.full]\nmethod = full-fine-tuning\nsharing = per-task\n"
    "[row.coop]\nmethod = coop\nsharing = joint\noption.n-ctx = 4\n"
    "[row.vpt]\nmethod = vpt-deep\nsharing = per-task\n"
    "[row.text]\nmethod = text-prompt\nsharing = joint+specific\n"
    "[row.vision]\nmethod = vision-prompt\nsharing = joint\noption.n-prompt = 4\n"
    "[row.mmap]\nmethod = mmap\nsharing = grouped+specific\ngrouping = gradient\noption.b = 4\n"
    "[row.random]\nmethod = mmap\nsharing = grouped\ngrouping = random\noption.b = 4\n";

/// A row that trains long enough to be interrupted.
constexpr const char* kEndlessTraining = "epochs = 3000\nbatch = 2";

TEST(Study, RunsStoresAndReports) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kManyRows);
  const Output first = run_petlab(run_arguments(study, "a.sqlite"), workshop.folder());
  ASSERT_EQ(first.exit_code, 0) << first.out << first.err;
  EXPECT_THAT(first.out,
              AllOf(HasSubstr("16 runs, 0 in a.sqlite, 16 to do"), HasSubstr("[16/16]")));

  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto runs = store.runs("small");
  ASSERT_EQ(runs.size(), 16U);
  for (const results::StudyRun& run : runs) {
    ASSERT_EQ(run.status, RunStatus::done) << run.plan.row_label;
    const auto record = store.load(run.plan.hash);
    ASSERT_TRUE(record.has_value());
    ASSERT_EQ(record->tasks.size(), 3U);
    for (const results::TaskResult& task : record->tasks)
      EXPECT_EQ(task.predictions.size(), static_cast<std::size_t>(task.n_test));
    EXPECT_EQ(record->frozen_hash_before, record->frozen_hash_after);
    EXPECT_EQ(record->test_evaluations, 1);
    EXPECT_EQ(record->grouping.has_value(), !run.plan.grouping.empty());
  }

  const Output report =
      run_petlab({"report", "--store", "a.sqlite", "--out", "report"}, workshop.folder());
  EXPECT_EQ(report.exit_code, 0) << report.err;
  for (const char* text : {"Art", "Photo", "Sketch", "zero-shot", "full", "coop", "mmap"})
    EXPECT_THAT(report.out, HasSubstr(text));
  for (const char* file : {"report.md", "table.csv", "table.tex", "runs.csv", "report.html"})
    EXPECT_TRUE(fs::exists(workshop.folder() / "report" / file)) << file;

  const Output compared = run_petlab(
      {"compare", "vpt", "zero-shot", "--store", "a.sqlite", "--csv", "d.csv"}, workshop.folder());
  EXPECT_EQ(compared.exit_code, 0) << compared.err;
  EXPECT_THAT(compared.out, AllOf(HasSubstr("vpt"), HasSubstr("zero-shot"), HasSubstr("2 seeds")));
  EXPECT_TRUE(fs::exists(workshop.folder() / "d.csv"));

  const Output again = run_petlab(run_arguments(study, "a.sqlite"), workshop.folder());
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("16 in a.sqlite, 0 to do"));

  const Output plan = run_petlab({"plan", study, "--store", "a.sqlite"}, workshop.folder());
  EXPECT_THAT(plan.out, HasSubstr("16 runs: 16 done, 0 failed, 0 running, 0 missing"));
}

TEST(Study, TheSameSeedGivesTheSamePredictionsToTheLastBit) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kManyRows);
  for (const char* store : {"a.sqlite", "b.sqlite"}) {
    const Output output = run_petlab(
        run_arguments(study, store, {"--seeds", "1", "--threads", "1"}), workshop.folder());
    ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  }
  const auto a = stored_results(workshop.folder() / "a.sqlite");
  const auto b = stored_results(workshop.folder() / "b.sqlite");
  EXPECT_EQ(a.size(), 8U);
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [row, one] : a)
    EXPECT_TRUE(one == b.at(row)) << row;
}

TEST(Study, ARunKilledHalfWayIsAFailedRowAndIsRedone) {
  const Workshop workshop;
  const std::string study = workshop.write_study(
      std::string(kLongRow) + "[row.quick]\nmethod = zero-shot\nsharing = joint\n",
      "epochs = 200\nbatch = 2");
  const auto arguments =
      run_arguments(study, "a.sqlite", {"--seeds", "1", "--workers", "1", "--threads", "1"});
  {
    Program program(arguments, workshop.folder());
    const pid_t child = program.wait_for_child(/*seconds=*/0.3);
    ASSERT_GT(child, 0) << program.wait().err;
    ::kill(child, SIGKILL);
    const Output output = program.wait();
    EXPECT_EQ(output.exit_code, 1) << output.err;
    EXPECT_THAT(output.out, HasSubstr("SIGKILL"));
  }
  {
    const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
    const auto runs = store.runs("small");
    ASSERT_EQ(runs.size(), 2U);
    EXPECT_EQ(runs[0].status, RunStatus::failed);
    EXPECT_THAT(runs[0].error, HasSubstr("SIGKILL"));
    EXPECT_EQ(runs[1].status, RunStatus::done);
  }
  const Output left = run_petlab(arguments, workshop.folder());
  EXPECT_EQ(left.exit_code, 1);
  EXPECT_THAT(left.out, HasSubstr("1 in a.sqlite, 1 failed before, 0 to do"));
  EXPECT_THAT(left.err, HasSubstr("--retry failed"));
  auto retry = arguments;
  retry.insert(retry.end(), {"--retry", "device"});
  const Output again = run_petlab(retry, workshop.folder());
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  EXPECT_THAT(again.out, HasSubstr("1 in a.sqlite, 1 to do"));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  EXPECT_EQ(store.runs("small")[0].status, RunStatus::done);
}

TEST(Study, WorkersEndWithTheProgramAndNothingIsHalfWritten) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kLongRow, kEndlessTraining);
  Program program(run_arguments(study, "a.sqlite", {"--seeds", "1"}), workshop.folder());
  const pid_t child = program.wait_for_child(/*seconds=*/1.0);
  ASSERT_GT(child, 0);
  ::kill(program.pid(), SIGKILL);
  EXPECT_EQ(program.wait().exit_code, 128 + SIGKILL);
  for (int i = 0; i < 200 && ::kill(child, 0) == 0; ++i)
    ::usleep(20'000);
  // The child may still wait to be collected by its new parent; it must not be at work.
  EXPECT_THAT(state_of(child), testing::AnyOf("Z", "X"));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  EXPECT_FALSE(store.runs("small").at(0).status.has_value());
}

TEST(Study, AnInterruptStopsCleanly) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kLongRow, kEndlessTraining);
  Program program(run_arguments(study, "a.sqlite"), workshop.folder());
  ASSERT_GT(program.wait_for_child(/*seconds=*/0.5), 0);
  ::kill(program.pid(), SIGINT);
  const Output output = program.wait();
  EXPECT_EQ(output.exit_code, 130);
  EXPECT_THAT(output.err, HasSubstr("finished. Repeat the command to resume."));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  for (const results::StudyRun& run : store.runs("small"))
    EXPECT_FALSE(run.status.has_value());
}

TEST(Study, ARunThatTakesTooLongIsAFailedRow) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kLongRow, "epochs = 100000\nbatch = 2");
  const Output output = run_petlab(
      run_arguments(study, "a.sqlite", {"--seeds", "1", "--run-timeout", "2"}), workshop.folder());
  EXPECT_EQ(output.exit_code, 1);
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  EXPECT_THAT(store.runs("small").at(0).error, HasSubstr("longer than the limit of 2 s"));
}

TEST(Study, ValidationPicturesComeOutOfTheTrainingPictures) {
  const Workshop workshop;
  const std::string study =
      workshop.write_study("[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n");
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{},
        {"--set", "study.name=tuning", "--set", "dataset.validation-fraction=0.5"}}) {
    const Output output = run_petlab(run_arguments(study, "a.sqlite", more), workshop.folder());
    ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  }
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto split_of = [&](const std::string& name) {
    return store.split(store.load(store.runs(name).at(0).plan.hash)->split_hash);
  };
  const auto tested = split_of("small"), held_out = split_of("tuning");
  ASSERT_TRUE(tested.has_value() && held_out.has_value());
  for (std::size_t t = 0; t < tested->tasks.size(); ++t) {
    std::set<std::string> test_ids;
    for (const results::TestImage& image : tested->tasks[t].test)
      test_ids.insert(image.sample_id);
    const results::TaskSplit& task = held_out->tasks[t];
    EXPECT_FALSE(task.test.empty());
    EXPECT_EQ(task.n_train + static_cast<std::int64_t>(task.test.size()), tested->tasks[t].n_train);
    for (const results::TestImage& image : task.test)
      EXPECT_EQ(test_ids.count(image.sample_id), 0U) << image.sample_id;
  }
}

TEST(Study, ADataSetOfOnesOwnRunsThroughTheSameStudy) {
  const Workshop workshop;
  const std::string study =
      workshop.write_study("[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n");
  write_pictures(workshop.folder() / "mine", 5);
  const Output output = run_petlab(
      run_arguments(study, "a.sqlite", {"--dataset", "folder", "--dataset-root", "mine"}),
      workshop.folder());
  ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto record = store.load(store.runs("small").at(0).plan.hash);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->tasks.at(0).n_train + record->tasks.at(0).n_test, 20);
}

}  // namespace
}  // namespace petlab::tests
