#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace petlab::tests {
namespace {

using results::OpenMode;
using results::RunStore;
using testing::HasSubstr;

using Arguments = std::vector<std::string>;

Output run_study(const Workshop& workshop, const std::string& study, const Arguments& more) {
  Arguments arguments = {"run",   study,    "--store", "a.sqlite", "--cache-dir",
                         "cache", "--rows", "probe",   "--set",    "study.name=small"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_petlab(arguments, workshop.folder());
}

std::set<std::string> tested_ids(const results::TaskSplit& task) {
  std::set<std::string> ids;
  for (const results::TestImage& image : task.test)
    ids.insert(image.sample_id);
  return ids;
}

TEST(DevelopmentSplit, IsScoredWithTheTrainingOfTheFinalRuns) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kProbeRows);
  const Arguments aside = {"--set", "dataset.development-fraction=0.25"};
  Arguments scored = aside;
  for (const char* more : {"--set", "study.name=scored", "--set", "dataset.validation=development"})
    scored.emplace_back(more);
  for (const Arguments& more : {aside, scored}) {
    const Output output = run_study(workshop, study, more);
    ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  }
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  std::set<std::string> development, other;
  // Of the probe alone, as --rows asks for it, with two seeds.
  for (const std::size_t i : {0U, 1U}) {
    const auto final_run = store.load(store.runs("small").at(i).plan.hash).value();
    const auto trial = store.load(store.runs("scored").at(i).plan.hash).value();
    EXPECT_EQ(final_run.test_evaluations, 1);
    EXPECT_EQ(trial.test_evaluations, 0);
    // The same pictures train it, in the same steps.
    EXPECT_EQ(trial.trained_hash, final_run.trained_hash);
    const auto tested = store.split(final_run.split_hash).value();
    const auto held_out = store.split(trial.split_hash).value();
    for (std::size_t t = 0; t < tested.tasks.size(); ++t) {
      // 8 pictures a class and 4 classes: 2 of a class are set aside, 3 train, 3 test.
      EXPECT_EQ(held_out.tasks[t].test.size(), 8U);
      EXPECT_EQ(held_out.tasks[t].n_train, 12);
      EXPECT_EQ(tested.tasks[t].n_train, 12);
      EXPECT_EQ(tested.tasks[t].test.size(), 12U);
      development.merge(tested_ids(held_out.tasks[t]));
      other.merge(tested_ids(tested.tasks[t]));
    }
  }
  EXPECT_EQ(development.size(), 24U) << "not the same for both seeds";
  for (const std::string& id : development)
    EXPECT_EQ(other.count(id), 0U) << id;
}

TEST(DevelopmentSplit, OfNothingIsTheStudyAsItWas) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kProbeRows);
  const Output plain = run_petlab({"plan", study}, workshop.folder());
  const Output nothing =
      run_petlab({"plan", study, "--set", "dataset.development-fraction=0"}, workshop.folder());
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_EQ(plain.out, nothing.out);
  const Output some =
      run_petlab({"plan", study, "--set", "dataset.development-fraction=0.25"}, workshop.folder());
  EXPECT_NE(plain.out, some.out);
  const Output text =
      run_petlab({"plan", study, "--protocol", "--set", "dataset.development-fraction=0.25",
                  "--set", "dataset.development-seed=7"},
                 workshop.folder());
  EXPECT_THAT(text.out, HasSubstr("development-fraction = 0.25\ndevelopment-seed = 7\n"));
}

TEST(DevelopmentSplit, IsShownAndReadBackAsAList) {
  const Workshop workshop;
  const auto split = [&](Arguments more) {
    Arguments arguments = {"datasets", "split", "pictures", "--development-fraction", "0.25"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_petlab(arguments, workshop.folder());
  };
  const Output shown = split({"--train-fraction", "0.4", "--out", "split.csv"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr(": 12 train (3 to 3 a class), 8 validation, 12 test\n"));
  const Output again =
      run_petlab({"datasets", "split", "pictures", "--split-list", "split.csv"}, workshop.folder());
  EXPECT_THAT(again.out, HasSubstr(shown.out.substr(shown.out.find("  hash "))));
  EXPECT_EQ(split({"--train-fraction", "0.8"}).exit_code, 2);
  const Output seed =
      run_petlab({"datasets", "split", "pictures", "--development-seed", "2"}, workshop.folder());
  EXPECT_THAT(seed.err, HasSubstr("--development-seed needs --development-fraction"));
  EXPECT_EQ(seed.exit_code, 2);
}

}  // namespace
}  // namespace petlab::tests
