#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace petlab::tests {
namespace {

using results::OpenMode;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;

TEST(Verify, ARepeatIsBitEqualAndKeptBesideTheRun) {
  const Workshop workshop;
  const std::string study = workshop.write_study("[row.vpt]\nmethod = vpt-deep\nsharing = joint\n");
  const Output run = run_petlab({"run", study, "--store", "a.sqlite", "--cache-dir", "cache",
                                 "--seeds", "1", "--no-table", "--set", "study.name=small"},
                                workshop.folder());
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::string identity =
      RunStore(workshop.folder() / "a.sqlite", OpenMode::read_only).find_runs("").at(0);
  const auto verify = [&](const std::string& which, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"verify",   which,         "--store",
                                          "a.sqlite", "--cache-dir", "cache"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_petlab(arguments, workshop.folder());
  };

  const Output output = verify(identity.substr(0, 10));
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out, AllOf(HasSubstr("the repeat is bit-equal"), HasSubstr("kept")));
  {
    const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
    const auto repeats = store.verifications(identity);
    ASSERT_EQ(repeats.size(), 1U);
    EXPECT_EQ(repeats[0].level, "bit-equal");
    EXPECT_EQ(repeats[0].trained_hash, store.load(identity)->trained_hash);
    EXPECT_GT(repeats[0].predictions, 0);
    EXPECT_EQ(repeats[0].changed_predictions, 0);
    EXPECT_FALSE(repeats[0].environment.empty());
    EXPECT_EQ(store.runs("small").size(), 1U) << "the repeat is no run of the study";
  }

  EXPECT_THAT(verify("0123").err, HasSubstr("holds no run '0123'"));
  // One picture less: another data set, so the run cannot be repeated.
  std::filesystem::recursive_directory_iterator pictures(workshop.folder() / "pictures");
  for (const auto& entry : pictures)
    if (entry.is_regular_file()) {
      std::filesystem::remove(entry.path());
      break;
    }
  const Output changed = verify(identity);
  EXPECT_EQ(changed.exit_code, 2);
  EXPECT_THAT(changed.err,
              AllOf(HasSubstr("cannot be repeated here"), HasSubstr("dataset.fingerprint was")));
}

}  // namespace
}  // namespace petlab::tests
