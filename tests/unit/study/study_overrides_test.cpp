#include "petlab/base/error.hpp"
#include "petlab/study/protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

// What options and environment make of a study: its variants.
namespace petlab::study {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kStudy =
    "[study]\nseeds = 1,2\n[dataset]\nname = folder\nroot = images\n[backbone]\ndir = /m/clip\n"
    "[train]\nepochs = 5\n[row.a]\nmethod = coop\nsharing = joint\n";

class StudyOverridesTest : public testing::Test {
 protected:
  StudyOverridesTest() { fs::create_directories(folder_); }
  ~StudyOverridesTest() override { fs::remove_all(folder_); }

  Protocol read(const std::vector<Setting>& overrides, const std::string& text = kStudy) const {
    std::ofstream(folder_ / "my.ini") << text;
    return read_protocol(folder_ / "my.ini", overrides);
  }

  std::string error_of(const std::vector<Setting>& overrides) const {
    try {
      (void)read(overrides);
    } catch (const base::Error& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path folder_ =
      fs::path(testing::TempDir()) /
      ("overrides_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

Setting option(const std::string& key, const std::string& value) {
  return {key, value, "--option", ""};
}

TEST_F(StudyOverridesTest, NameTheVariant) {
  EXPECT_EQ(read({}).name, "my");
  EXPECT_EQ(read({option("train.epochs", "7"), option("study.seeds", "1")}).name,
            "my [epochs=7, seeds=1]");
  EXPECT_EQ(read({option("method.coop.learning-rate", "0.1")}).name,
            "my [method.coop.learning-rate=0.1]");
  EXPECT_EQ(read({option("train.epochs", "7"), option("train.epochs", "8")}).name, "my [epochs=8]");
}

TEST_F(StudyOverridesTest, WhatTheFileSaysIsNoVariant) {
  EXPECT_EQ(read({option("train.epochs", "5"), option("study.seeds", "1,2")}).name, "my");
}

TEST_F(StudyOverridesTest, PlacesOfThisMachineMakeNoVariantAndAreNotPublished) {
  EXPECT_EQ(read({option("dataset.root", "/data/office")}).name, "my");
  EXPECT_EQ(read({{"backbone.dir", "/data/b16", "PETLAB_BACKBONE", ""}}).name, "my");
  EXPECT_EQ(read({option("backbone.dir", "/data/b16/")}).name, "my [backbone=b16]");
  EXPECT_EQ(read({option("backbone.dir", "/data/b16")}).name, "my [backbone=b16]");
}

TEST_F(StudyOverridesTest, WhoSaysANameMeansIt) {
  EXPECT_EQ(read({option("train.epochs", "7"), option("study.name", "mine")}).name, "mine");
}

TEST_F(StudyOverridesTest, TheNameOfAVariantCanBeReadBack) {
  const Protocol variant =
      read({}, std::string("[study]\nname = my [epochs=7, seeds=1]\n") + (kStudy + 8));
  EXPECT_EQ(variant.name, "my [epochs=7, seeds=1]");
  EXPECT_THAT(error_of({option("study.name", "my [epochs=7")}), HasSubstr("expected names"));
  EXPECT_THAT(error_of({option("study.name", "a b [epochs=7]")}), HasSubstr("expected names"));
}

TEST_F(StudyOverridesTest, FewerEpochsThanTheWarmUpLeaveItOneLess) {
  const Protocol one = read({option("train.epochs", "1")});
  EXPECT_EQ(one.training.epochs, 1);
  EXPECT_EQ(one.training.warmup_epochs, 0);
  EXPECT_EQ(one.name, "my [epochs=1, warmup-epochs=0]");
  const std::string warm = std::string(kStudy).replace(std::string(kStudy).find("epochs = 5"), 10,
                                                       "epochs = 5\nwarmup-epochs = 4");
  EXPECT_EQ(read({option("train.epochs", "3")}, warm).training.warmup_epochs, 2);
  EXPECT_EQ(read({option("train.epochs", "9")}, warm).training.warmup_epochs, 4);
  // What is asked for is not changed.
  EXPECT_THAT(error_of({option("train.epochs", "1"), option("train.warmup-epochs", "1")}),
              HasSubstr("warmup-epochs in [train] is 1"));
}

TEST_F(StudyOverridesTest, AnotherSplitDropsTheShotsOfTheFile) {
  const std::string shots = std::string(kStudy).replace(std::string(kStudy).find("root ="), 6,
                                                        "split = shots\ntrain-shots = 2\nroot =");
  EXPECT_EQ(read({}, shots).dataset.train_shots, 2);
  const Protocol percent = read({option("dataset.split", "percent")}, shots);
  EXPECT_EQ(percent.dataset.train_shots, 0);
  EXPECT_EQ(percent.name, "my [split=percent]");
  EXPECT_THAT(error_of({option("dataset.split", "percent"), option("dataset.train-shots", "2")}),
              HasSubstr("train-shots is for split = shots"));
}

TEST_F(StudyOverridesTest, AddARowWhoseMethodTheySay) {
  const Protocol p = read({option("row.b.method", "vpt-deep"), option("row.b.sharing", "per-task"),
                           option("row.b.option.n-prompt", "4")});
  ASSERT_EQ(p.rows.size(), 2U);
  EXPECT_EQ(p.rows[1].label, "b");
  EXPECT_EQ(p.rows[1].method, "vpt-deep");
  EXPECT_EQ(p.rows[1].sharing, engine::Sharing::per_task);
  EXPECT_EQ(p.rows[1].method_options.at("n-prompt"), "4");
  EXPECT_THAT(error_of({option("row.b.method", "vpt-deep")}), HasSubstr("has no key 'sharing'"));
  EXPECT_THAT(error_of({option("row.b.sharing", "joint")}),
              AllOf(HasSubstr("the study has no row 'b'"), HasSubstr("row.b.method=NAME")));
}

}  // namespace
}  // namespace petlab::study
