#include "petlab/base/error.hpp"
#include "petlab/results/merge.hpp"
#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Stores of one study that differ in seeds and rows.
namespace petlab::results {
namespace {

using sample::RunChoice;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class JoinPlansTest : public testing::Test {
 protected:
  sample::TemporaryFolder folder_;
  std::filesystem::path a_ = folder_ / "a.sqlite";
  std::filesystem::path b_ = folder_ / "b.sqlite";

  const RunChoice coop1_{.method = "coop", .seed = 1};
  const RunChoice coop2_{.method = "coop", .seed = 2};
  const RunChoice mmap1_{
      .method = "mmap", .sharing = "grouped", .grouping = "gradient", .correct = {8, 6}};

  static RunRecord done(const RunChoice& choice) {
    return sample::done_run(choice, sample::split(choice.seed));
  }
  static void make(const std::filesystem::path& path, const std::vector<RunRecord>& runs,
                   const StudyRecord& study) {
    RunStore store(path);
    for (const std::uint64_t seed : {1U, 2U})
      store.register_split(sample::split(seed));
    store.set_study(study);
    for (const RunRecord& run : runs)
      store.record(run);
  }
  std::string refusal(const MergeOptions& options = {}) const {
    try {
      merge_stores(a_, {b_}, options);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::store);
      return error.what();
    }
    return "merged";
  }
};

// A study as protocol_text() writes it.
StudyRecord part(const std::vector<sample::Row>& rows, const std::string& seeds,
                 const std::string& root, const std::string& rate = "0.1") {
  StudyRecord study = sample::study("demo", rows);
  study.protocol = "[study]\nname = demo\nseeds = " + seeds + "\n[dataset]\nroot = " + root +
                   "\n[train]\nepochs = 5\n";
  for (const sample::Row& row : rows)
    study.protocol += "[row." + row.label + "]\nlearning-rate = " + rate + "\n";
  return study;
}

TEST_F(JoinPlansTest, JoinsPlansOfOneStudyThatDifferInSeedsAndRows) {
  const MergeOptions options{.places = {"dataset.root"}};
  make(a_, {done(coop1_)}, part({{"coop", {coop1_}}}, "1", "/here"));
  StudyRecord theirs = part({{"mmap", {mmap1_}}, {"coop", {coop2_}}}, "1,2", "/there");
  theirs.searches = {{.row_index = 0, .strategy = "grid", .trials = 4, .study = "", .chosen = {}}};
  make(b_, {done(coop2_), done(mmap1_)}, theirs);

  const MergeReport report = merge_stores(a_, {b_}, options);
  EXPECT_EQ(report.runs_added, 2);
  EXPECT_THAT(report.joined, ElementsAre(HasSubstr("has 2 planned runs more")));
  {
    const RunStore store(a_, OpenMode::read_only);
    const StudyRecord joined = store.study("demo").value();
    ASSERT_EQ(joined.plan.size(), 3U);
    EXPECT_EQ(joined.plan[0].hash, done(coop1_).identity.hash);
    EXPECT_EQ(joined.plan[1].hash, done(coop2_).identity.hash);
    EXPECT_EQ(joined.plan[2].hash, done(mmap1_).identity.hash);
    EXPECT_EQ(joined.plan[2].row_index, 1) << "a row that is new comes behind the others";
    ASSERT_EQ(joined.searches.size(), 1U);
    EXPECT_EQ(joined.searches[0].row_index, 1) << "a search goes with its row";
    EXPECT_EQ(joined.protocol,
              "[study]\nname = demo\nseeds = 1,2\n[dataset]\nroot = /here\n[train]\nepochs = 5\n"
              "[row.coop]\nlearning-rate = 0.1\n[row.mmap]\nlearning-rate = 0.1\n");
    for (const StudyRun& run : store.runs("demo"))
      EXPECT_EQ(run.status, RunStatus::done);
  }
  EXPECT_THAT(merge_stores(a_, {b_}, options).joined, IsEmpty()) << "the second time";
  EXPECT_EQ(RunStore(a_).study("demo")->plan.size(), 3U);
}

TEST_F(JoinPlansTest, RefusesSeedsThatWereTrainedOtherwise) {
  const MergeOptions options{.places = {"dataset.root"}};
  make(a_, {}, part({{"coop", {coop1_}}}, "1", "/here"));
  make(b_, {}, part({{"coop", {coop2_}}}, "2", "/here", "0.2"));
  EXPECT_THAT(refusal(options), HasSubstr("in [row.coop] the one has 'learning-rate = 0.1', the "
                                          "other 'learning-rate = 0.2'"));
  make(b_, {}, part({{"coop", {coop2_}}}, "2", "/there"));
  EXPECT_THAT(refusal(), HasSubstr("root = /there"));
  EXPECT_EQ(refusal(options), "merged");
}

TEST_F(JoinPlansTest, RefusesSeedsWhoseRunsSayThatTheyWereComputedOtherwise) {
  make(a_, {done(coop1_)}, part({{"coop", {coop1_}}}, "1", "/here"));
  RunRecord other = done(coop2_);
  other.protocol.emplace_back("dataset.train-fraction", "0.9");
  make(b_, {other}, part({{"coop", {coop2_}}}, "2", "/here"));
  EXPECT_THAT(refusal(), HasSubstr("their runs of row 'coop' differ in dataset.train-fraction"));
}

}  // namespace
}  // namespace petlab::results
