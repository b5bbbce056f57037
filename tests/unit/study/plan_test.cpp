#include "petlab/study/plan.hpp"

#include "petlab/sdk/plugin.hpp"
#include "sample_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;
using sample::plugins;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kFourEpochs =
    "[study]\nseeds = 1,2\n[dataset]\nname = folder\nroot = pictures\n[backbone]\ndir = clip\n"
    "[train]\nepochs = 4\n";

Protocol study_of(const std::string& rows) {
  const fs::path file = fs::path(testing::TempDir()) / "plan_test.ini";
  std::ofstream(file) << kFourEpochs << rows;
  return read_protocol(file);
}

std::vector<engine::RunSpec> specs(const std::string& rows) {
  return expand(study_of(rows), plugins(), {"/cache", 2});
}

std::string plan_error(const std::string& rows) {
  try {
    (void)specs(rows);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::config);
    return error.what();
  }
  return "no error";
}

StudyFacts facts() {
  return {"data", {{1, "split1"}, {2, "split2"}}, "weights", "settings", "2.13.0"};
}

TEST(Plan, ExpandsRowsThenSeeds) {
  const auto runs = specs(
      "[row.b]\nmethod = coop\nsharing = joint\n[row.a]\nmethod = mmap\nsharing = per-task\n");
  ASSERT_EQ(runs.size(), 4U);
  EXPECT_EQ(runs[0].label, "b");
  EXPECT_EQ(runs[1].label, "b");
  EXPECT_EQ(runs[1].seed, 2U);
  EXPECT_EQ(runs[2].label, "a");
  EXPECT_EQ(runs[2].row, 1);
  EXPECT_EQ(runs[0].threads, 2);
  EXPECT_EQ(runs[0].training.epochs, 4);
}

TEST(Plan, FillsOptionsAndTrainingFromThePublication) {
  const auto runs =
      specs("[row.a]\nmethod = coop\nsharing = joint\noption.n-ctx = 4\nmomentum = 0.5\n");
  const sdk::TrainingDefaults& publication = plugins().method("coop").entry->training;
  EXPECT_EQ(runs[0].method_options.at("n-ctx"), "4");
  EXPECT_EQ(runs[0].method_options.count("init-std"), 1U);
  EXPECT_EQ(runs[0].training.learning_rate, publication.learning_rate);
  EXPECT_EQ(to_string(runs[0].training.optimizer), publication.optimizer);
  EXPECT_EQ(runs[0].training.momentum, 0.5);
}

constexpr const char* kPublished =
    "budget = published\n"
    "[row.coop]\nmethod = coop\nsharing = joint\n"
    "[row.lora]\nmethod = lora\nsharing = joint\n"
    "[row.mmap]\nmethod = mmap\nsharing = joint\n"
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n";

Protocol with_shots(const std::string& shots, const std::string& rows) {
  const fs::path file = fs::path(testing::TempDir()) / "plan_test.ini";
  std::ofstream(file) << kFourEpochs << rows;
  return read_protocol(file, {{"dataset.split", "shots", "--split", ""},
                              {"dataset.train-shots", shots, "--train-shots", ""}});
}

std::map<std::string, engine::Training> trainings(const Protocol& study) {
  std::map<std::string, engine::Training> found;
  for (const engine::RunSpec& run : expand(study, plugins(), {"/cache", 2}))
    found.emplace(run.label, run.training);
  return found;
}

// CoOp's README, CLIP-LoRA's lora.py and run_utils.py.
TEST(Plan, TrainsForThePublishedBudgetsWhereAsked) {
  const auto runs = trainings(with_shots("4", kPublished));
  const engine::Training& coop = runs.at("coop");
  EXPECT_EQ(coop.budget, engine::Budget::published);
  EXPECT_EQ(coop.epochs, 100);
  EXPECT_EQ(coop.steps, 0);
  EXPECT_EQ(coop.batch, 32);
  EXPECT_EQ(coop.warmup_epochs, 1);
  EXPECT_EQ(coop.schedule_interval, engine::ScheduleInterval::epoch);
  const engine::Training& lora = runs.at("lora");
  EXPECT_EQ(lora.steps, 2000);
  EXPECT_EQ(lora.batch, 32);
  EXPECT_EQ(lora.warmup_epochs, 0);
  EXPECT_EQ(lora.schedule_interval, engine::ScheduleInterval::step);
  EXPECT_EQ(lora.end_learning_rate, 1e-6);
  EXPECT_EQ(runs.at("mmap").budget, engine::Budget::equal) << "nobody has published one";
  EXPECT_EQ(runs.at("mmap").epochs, 4);
  EXPECT_EQ(runs.at("mmap").batch, 4);
}

TEST(Plan, GivesEachTrainingSizeItsPublishedBudget) {
  const auto runs = trainings(with_shots("1,4,16", kPublished));
  EXPECT_EQ(runs.at("coop@1").epochs, 50);
  EXPECT_EQ(runs.at("coop@4").epochs, 100);
  EXPECT_EQ(runs.at("coop@16").epochs, 200);
  EXPECT_EQ(runs.at("lora@16").steps, 8000);
}

TEST(Plan, SaysWhoHasNoPublishedBudget) {
  const Protocol study = with_shots("4", kPublished);
  const auto runs = expand(study, plugins(), {"/cache", 2});
  const Plan plan = make_plan(study, runs, plugins(), facts());
  EXPECT_THAT(plan.notes,
              testing::Contains("budget = published: no public code says how long to train mmap; "
                                "trained for the budget of [train]"));
}

TEST(Plan, MakesThePublishedBudgetPartOfTheIdentity) {
  const std::string row = "[row.a]\nmethod = maple\nsharing = joint\n";
  const auto hash_of = [](const Protocol& study) {
    return make_plan(study, expand(study, plugins(), {}), plugins(), facts())
        .jobs.front()
        .identity.hash;
  };
  const std::string equal = hash_of(study_of(row));
  const Protocol published = study_of("budget = published\n" + row);
  EXPECT_EQ(trainings(published).at("a").epochs, 5);  // MaPLe's own, in batches of 4
  EXPECT_NE(hash_of(published), equal);
  EXPECT_EQ(hash_of(read_protocol(published.file)), hash_of(published));
}

TEST(Plan, RefusesABudgetByShotsWithoutShots) {
  EXPECT_THAT(plan_error(kPublished),
              HasSubstr("row 'coop': budget = published: the published budget of method 'coop' "
                        "depends on the number of shots; expected split = shots, or budget = "
                        "equal"));
}

TEST(Plan, RefusesWhatCannotRun) {
  EXPECT_THAT(plan_error("[row.a]\nmethod = cop\nsharing = joint\n"),
              AllOf(HasSubstr("plan_test.ini:11: row 'a': "), HasSubstr("did you mean 'coop'?")));
  EXPECT_THAT(plan_error("[row.a]\nmethod = coop\nsharing = joint\noption.n_ctx = 4\n"),
              HasSubstr("method 'coop' has no option 'n_ctx'; did you mean 'n-ctx'?"));
  EXPECT_THAT(plan_error("[row.a]\nmethod = coop\nsharing = joint\noption.n-ctx = four\n"),
              HasSubstr("option 'n-ctx' is 'four', expected an integer"));
  EXPECT_THAT(plan_error("[row.a]\nmethod = mmap\nsharing = grouped\ngrouping = gradent\n"),
              HasSubstr("did you mean 'gradient'?"));
  EXPECT_THAT(
      plan_error(
          "[row.a]\nmethod = mmap\nsharing = grouped\ngrouping = all-in-one\ngrouping.n = 1\n"),
      HasSubstr("grouping 'all-in-one' has no option 'n'"));
  EXPECT_THAT(plan_error("[row.a]\nmethod = full-fine-tuning\nsharing = joint+specific\n"),
              AllOf(HasSubstr("row 'a': "), HasSubstr("full-fine-tuning")));
}

TEST(Plan, GivesEveryRunItsIdentityAndPlugins) {
  const std::string rows =
      "[row.a]\nmethod = mmap\nsharing = grouped+specific\ngrouping = gradient\n"
      "[row.b]\nmethod = coop\nsharing = joint\n";
  const Plan plan = make_plan(study_of(rows), specs(rows), plugins(), facts());
  ASSERT_EQ(plan.jobs.size(), 4U);
  std::set<std::string> hashes;
  for (const Job& job : plan.jobs)
    hashes.insert(job.identity.hash);
  EXPECT_EQ(hashes.size(), 4U);
  EXPECT_EQ(plan.jobs[0].plugin, "mmap");
  EXPECT_EQ(plan.jobs[0].plugin_files.size(), 2U);
  EXPECT_EQ(plan.jobs[2].plugin_files.size(), 1U);
  ASSERT_EQ(plan.study.plan.size(), 4U);
  EXPECT_EQ(plan.study.plan[0].hash, plan.jobs[0].identity.hash);
  EXPECT_EQ(plan.study.plan[0].grouping, "gradient");
  EXPECT_EQ(plan.study.plan[3].row_label, "b");
}

TEST(Plan, ADefaultWrittenOutIsTheSameRun) {
  const std::string plain = "[row.a]\nmethod = coop\nsharing = joint\n";
  const std::string written =
      "[row.z]\nmethod = coop\nsharing = joint\noption.n-ctx = 16\n"
      "option.init-std = 0.02\n";
  EXPECT_EQ(make_plan(study_of(plain), specs(plain), plugins(), facts()).jobs[0].identity.hash,
            make_plan(study_of(written), specs(written), plugins(), facts()).jobs[0].identity.hash);
}

TEST(Plan, TwoRowsThatAreTheSameRunAreRefused) {
  const std::string rows =
      "[row.a]\nmethod = coop\nsharing = joint\n[row.b]\nmethod = coop\nsharing = joint\n";
  EXPECT_THROW((void)make_plan(study_of(rows), specs(rows), plugins(), facts()), base::Error);
}

TEST(Plan, ItsProtocolTextIsAProtocolOfTheSameRuns) {
  const std::string rows =
      "[row.a]\nmethod = mmap\nsharing = grouped\ngrouping = random\n[row.b]\nmethod = "
      "coop\nsharing = joint\n";
  const Plan plan = make_plan(study_of(rows), specs(rows), plugins(), facts());
  const fs::path file = fs::path(testing::TempDir()) / "again.ini";
  std::ofstream(file) << plan.study.protocol;
  const Protocol again = read_protocol(file);
  const Plan same = make_plan(again, expand(again, plugins(), {"/cache", 1}), plugins(), facts());
  ASSERT_EQ(same.jobs.size(), plan.jobs.size());
  for (std::size_t i = 0; i < plan.jobs.size(); ++i)
    EXPECT_EQ(same.jobs[i].identity.hash, plan.jobs[i].identity.hash);
}

constexpr const char* kFewShot = "[dataset]\nsplit = shots\ntrain-shots = 4,1,2\n";

Protocol few_shot(const std::string& rows) {
  const fs::path folder = fs::path(testing::TempDir());
  std::ofstream(folder / "plan_rows.ini") << rows << kFewShot;
  std::ofstream(folder / "plan_where.ini") << kFourEpochs;
  return read_protocol(std::vector<fs::path>{folder / "plan_rows.ini", folder / "plan_where.ini"});
}

TEST(PlanOfSeveralSizes, RunsARowOnceASizeAndZeroShotOnce) {
  const Protocol study = few_shot(
      "[row.none]\nmethod = zero-shot\nsharing = joint\n"
      "[row.a]\nmethod = coop\nsharing = joint\n");
  const auto runs = expand(study, plugins(), {"/cache", 2});
  ASSERT_EQ(runs.size(), 8U);  // (1 + 3) x 2 seeds
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < runs.size(); i += 2) {
    labels.push_back(runs[i].label);
    EXPECT_EQ(runs[i].row, static_cast<std::int64_t>(i / 2));
    EXPECT_TRUE(runs[i].dataset.train_shot_counts.empty());
    EXPECT_EQ(runs[i].dataset.largest_train_size, 4.0);
  }
  EXPECT_EQ(labels, (std::vector<std::string>{"none", "a@4", "a@1", "a@2"}));
  EXPECT_EQ(runs[0].dataset.train_shots, 4);
  EXPECT_EQ(runs[4].dataset.train_shots, 1);
  EXPECT_EQ(runs[4].train_size, "1");
}

TEST(PlanOfSeveralSizes, EachSizeHasTheIdentityOfItsSplit) {
  const Protocol study = few_shot(
      "[row.none]\nmethod = zero-shot\nsharing = joint\n"
      "[row.a]\nmethod = coop\nsharing = joint\n");
  StudyFacts of_sizes = facts();
  for (const std::string size : {"4", "1", "2"})
    for (const std::uint64_t seed : {1U, 2U})
      of_sizes.split_hashes[{seed, size}] = "split" + std::to_string(seed) + "@" + size;
  const auto runs = expand(study, plugins(), {"/cache", 2});
  const Plan plan = make_plan(study, runs, plugins(), of_sizes);
  std::set<std::string> hashes;
  for (const Job& job : plan.jobs)
    hashes.insert(job.identity.hash);
  EXPECT_EQ(hashes.size(), 8U);
  EXPECT_EQ(plan.study.plan[2].row_label, "a@4");
  // The text is read back as the same runs.
  const fs::path file = fs::path(testing::TempDir()) / "plan_again.ini";
  std::ofstream(file) << plan.study.protocol;
  const Protocol again = read_protocol(file);
  EXPECT_THAT(plan.study.protocol,
              AllOf(HasSubstr("train-shots = 4,1,2\n"), HasSubstr("largest-train-size = 4\n")));
  const Plan repeat =
      make_plan(again, expand(again, plugins(), {"/cache", 2}), plugins(), of_sizes);
  ASSERT_EQ(repeat.jobs.size(), plan.jobs.size());
  for (std::size_t i = 0; i < plan.jobs.size(); ++i)
    EXPECT_EQ(repeat.jobs[i].identity.hash, plan.jobs[i].identity.hash);
}

}  // namespace
}  // namespace petlab::study
