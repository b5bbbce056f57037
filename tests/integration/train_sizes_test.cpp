#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace petlab::tests {
namespace {

using results::OpenMode;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;

using Arguments = std::vector<std::string>;

/// With 3 domains, 4 classes and 8 pictures of each.
Output petlab_on_sizes(const Workshop& workshop, const std::string& command, Arguments more) {
  Arguments arguments = {command, workshop.write_study(kProbeRows)};
  for (const char* common : {"--store", "a.sqlite", "--cache-dir", "cache", "--split", "shots",
                             "--train-shots", "1,2,5", "--set", "study.name=small"})
    arguments.emplace_back(common);
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_petlab(arguments, workshop.folder());
}

TEST(TrainSizes, AreOneStudyWithOneTestSet) {
  const Workshop workshop;
  const Output output = petlab_on_sizes(workshop, "run", {});
  ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out, AllOf(HasSubstr("Accuracy by training size"), HasSubstr("1 image"),
                                HasSubstr("5 images"), HasSubstr("probe@2")));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto runs = store.runs("small");
  ASSERT_EQ(runs.size(), 8U);  // (zero-shot + 3 sizes) x 2 seeds
  std::map<std::uint64_t, std::set<std::string>> tested;
  for (const results::StudyRun& run : runs) {
    const auto record = store.load(run.plan.hash).value();
    const auto split = store.split(record.split_hash).value();
    const std::string& label = run.plan.row_label;
    const std::int64_t shots = label == "probe@1" ? 1 : label == "probe@2" ? 2 : 5;
    std::set<std::string> ids;
    for (const results::TaskSplit& task : split.tasks) {
      EXPECT_EQ(task.n_train, 4 * shots) << label;
      EXPECT_EQ(task.test.size(), 4U * 3) << label;  // 8 less the largest size
      for (const results::TestImage& image : task.test)
        ids.insert(image.sample_id);
    }
    EXPECT_EQ(ids, tested.try_emplace(run.plan.seed, ids).first->second) << label;
    EXPECT_NEAR(split.fraction, static_cast<double>(shots) / 8, 1e-12) << label;
  }
  EXPECT_NE(tested.at(1), tested.at(2));
}

TEST(TrainSizes, AreChosenAndRepeatedByTheirLabels) {
  const Workshop workshop;
  EXPECT_THAT(petlab_on_sizes(workshop, "plan", {"--rows", "probe@2"}).out,
              HasSubstr("2 runs: 0 done"));
  EXPECT_THAT(petlab_on_sizes(workshop, "plan", {"--rows", "probe"}).out,
              HasSubstr("6 runs: 0 done"));
  const Output unknown = petlab_on_sizes(workshop, "plan", {"--rows", "probe@3"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("the study has no row 'probe@3'"));
  ASSERT_EQ(petlab_on_sizes(workshop, "run", {"--rows", "probe@2", "--seeds", "1"}).exit_code, 0);
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  for (const results::StudyRun& run : store.runs("small")) {
    if (!run.status) continue;
    const Output verified = run_petlab(
        {"verify", run.plan.hash.substr(0, 12), "--store", "a.sqlite", "--cache-dir", "cache"},
        workshop.folder());
    EXPECT_EQ(verified.exit_code, 0) << verified.err;
    EXPECT_THAT(verified.out, HasSubstr("bit-equal"));
  }
}

}  // namespace
}  // namespace petlab::tests
