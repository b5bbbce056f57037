#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

// Studies that do not clobber each other: what options make of a study has a name of its own.
namespace petlab::tests {
namespace {

using results::OpenMode;
using results::RunStore;
using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kCoopRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.coop]\nmethod = coop\nsharing = joint\noption.n-ctx = 4\n";

class Variants : public testing::Test {
 protected:
  Output run(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"run",         study_,  "--store",   "a.sqlite",
                                          "--cache-dir", "cache", "--workers", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_petlab(arguments, workshop_.folder());
  }
  Output report(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"report", "--store", "a.sqlite"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_petlab(arguments, workshop_.folder());
  }
  RunStore store() const { return RunStore(workshop_.folder() / "a.sqlite", OpenMode::read_only); }

  Workshop workshop_;
  std::string study_ = workshop_.write_study(kCoopRows);
};

TEST_F(Variants, OptionsNeverReplaceThePlanOfTheFile) {
  ASSERT_EQ(run({}).exit_code, 0);
  const Output variant = run({"--epochs", "1", "--seeds", "1"});
  ASSERT_EQ(variant.exit_code, 0) << variant.err;
  EXPECT_THAT(variant.out, HasSubstr("small [epochs=1, seeds=1, warmup-epochs=0]"));
  EXPECT_THAT(store().studies(),
              ElementsAre("small", "small [epochs=1, seeds=1, warmup-epochs=0]"));
  EXPECT_EQ(store().runs("small").size(), 4U);

  const Output shown = report();
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, AllOf(ContainsRegex("Study +small\n"),
                               HasSubstr("Other plans of this study in the store"),
                               HasSubstr("'small [epochs=1, seeds=1, warmup-epochs=0]'")));
  const Output asked = report({"--study", "small [epochs=1, seeds=1, warmup-epochs=0]"});
  EXPECT_EQ(asked.exit_code, 0) << asked.err;
  EXPECT_THAT(asked.out, HasSubstr("--study NAME): 'small'\n"));
}

TEST_F(Variants, RowsAddToAPlan) {
  ASSERT_EQ(run({"--rows", "coop"}).exit_code, 0);
  const Output shown = report();
  EXPECT_THAT(shown.out, AllOf(HasSubstr("coop"), Not(HasSubstr("zero-shot  zero-shot"))));
  EXPECT_EQ(store().runs("small").size(), 2U);
  ASSERT_EQ(run({"--rows", "zero-shot"}).exit_code, 0);
  EXPECT_THAT(store().studies(), ElementsAre("small"));
  EXPECT_EQ(store().runs("small").size(), 4U);
  for (const results::StudyRun& one : store().runs("small"))
    EXPECT_EQ(one.status, results::RunStatus::done) << one.plan.row_label;
}

TEST_F(Variants, WhatAnEditedFileReplacesStaysInView) {
  ASSERT_EQ(run({"--rows", "coop"}).exit_code, 0);
  study_ = workshop_.write_study(kCoopRows, "epochs = 3\nbatch = 2");
  const Output edited = run({"--rows", "coop"});
  ASSERT_EQ(edited.exit_code, 0) << edited.err;
  EXPECT_THAT(edited.out, HasSubstr("it is kept as 'small (earlier 1)'"));
  EXPECT_THAT(store().studies(), ElementsAre("small", "small (earlier 1)"));
  for (const char* name : {"small", "small (earlier 1)"})
    EXPECT_EQ(store().runs(name).size(), 2U) << name;
}

TEST_F(Variants, ARunOfAVariantIsVerified) {
  ASSERT_EQ(run({"--rows", "coop", "--seeds", "1"}).exit_code, 0);
  const auto runs = store().runs("small [seeds=1]");
  ASSERT_EQ(runs.size(), 1U);
  const Output verified =
      run_petlab({"verify", runs[0].plan.hash, "--store", "a.sqlite", "--cache-dir", "cache"},
                 workshop_.folder());
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("bit-equal"));
}

TEST_F(Variants, ARowIsAddedWithSet) {
  const Output output = run({"--set", "row.new.method=vpt-deep", "--set", "row.new.sharing=joint",
                             "--rows", "new", "--set", "study.name=mine"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  const auto runs = store().runs("mine");
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].plan.method, "vpt-deep");
}

TEST_F(Variants, CudaWithoutAGpuIsRefusedAtOnce) {
  const Output output = run({"--device", "cuda"});
  if (output.exit_code == 0) GTEST_SKIP() << "there is a GPU";
  EXPECT_EQ(output.exit_code, 6);
  EXPECT_THAT(output.err, HasSubstr("finds no CUDA device"));
  EXPECT_FALSE(std::filesystem::exists(workshop_.folder() / "a.sqlite"));
}

}  // namespace
}  // namespace petlab::tests
