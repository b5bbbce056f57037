#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
namespace sample = results::sample;
using testing::AllOf;
using testing::HasSubstr;

class StoreCommands : public testing::Test {
 protected:
  sample::TemporaryFolder folder_;
  const results::SplitRecord split_ = sample::split(1);
  const sample::RunChoice coop_{.method = "coop"};
  const sample::RunChoice vpt_{.method = "vpt"};

  void make(const std::string& name, const results::RunRecord& run) const {
    results::RunStore store(folder_ / name);
    store.register_split(split_);
    store.set_study(sample::study("demo", {{"coop", {coop_}}, {"vpt", {vpt_}}}));
    store.record(run);
  }

  Output petlab(const std::vector<std::string>& arguments) const {
    return run_petlab(arguments, folder_ / ".");
  }
};

TEST_F(StoreCommands, MergeJoinsStoresAndExportWritesThemAsCsv) {
  make("one.sqlite", sample::done_run(coop_, split_));
  make("two.sqlite", sample::done_run(vpt_, split_));
  const Output merged = petlab({"merge", "all.sqlite", "one.sqlite", "two.sqlite"});
  EXPECT_EQ(merged.exit_code, 0) << merged.err;
  EXPECT_THAT(merged.out, HasSubstr("all.sqlite: 2 runs added, 0 in place of a failed one, 0 were "
                                    "there; 1 study and 1 split added"));
  EXPECT_THAT(petlab({"merge", "all.sqlite", "one.sqlite", "two.sqlite"}).out,
              HasSubstr("0 runs added, 0 in place of a failed one, 2 were there"));

  const Output exported = petlab({"export", "--store", "all.sqlite", "--out", "csv"});
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_THAT(exported.out, HasSubstr("wrote csv/ranking.csv"));
  std::ifstream file(folder_ / "csv/ranking.csv");
  const std::string ranking{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(ranking,
            "study,place,label,seeds,planned,mean_accuracy,trainable\r\n"
            "demo,1,coop,1,1,0.6,512\r\n"
            "demo,1,vpt,1,1,0.6,512\r\n");
  const Output unknown = petlab({"export", "--store", "all.sqlite", "--out", "x", "--study", "d"});
  EXPECT_EQ(unknown.exit_code, 5);
  EXPECT_THAT(unknown.err, HasSubstr("it holds no study 'd'"));
}

TEST_F(StoreCommands, MergeReportsRunsThatDifferAndRefusesOtherPlans) {
  make("one.sqlite", sample::done_run(coop_, split_));
  results::RunRecord other = sample::done_run(coop_, split_);
  other.trained_hash = std::string(64, 'f');
  make("two.sqlite", other);
  const Output differs = petlab({"merge", "one.sqlite", "two.sqlite"});
  EXPECT_EQ(differs.exit_code, 5);
  EXPECT_THAT(differs.err, AllOf(HasSubstr("petlab: run '"), HasSubstr("has other weights")));

  results::StudyRecord study = sample::study("demo", {{"coop", {coop_}}});
  study.protocol += "[train]\nepochs = 7\n";
  results::RunStore(folder_ / "two.sqlite").set_study(study);
  const Output refused = petlab({"merge", "one.sqlite", "two.sqlite"});
  EXPECT_EQ(refused.exit_code, 5);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("another plan"), HasSubstr("--rename keeps both")));
  const Output renamed = petlab({"merge", "one.sqlite", "two.sqlite", "--rename"});
  EXPECT_THAT(renamed.out, HasSubstr("is called 'demo-two'"));
}

}  // namespace
}  // namespace petlab::tests
