#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace petlab::tests {
namespace {

using results::OpenMode;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kBaseRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.coop]\nmethod = coop\nsharing = per-task\n"
    "[row.csc]\nmethod = coop-csc\nsharing = joint\n"
    "[row.probe]\nmethod = linear-probe\nsharing = joint\n"
    "[row.tip]\nmethod = tip-adapter\nsharing = per-task\n";

/// Base classes are 2 of the 4 classes of each of 3 domains.
Output petlab_on_classes(const Workshop& workshop, const std::string& command,
                         const std::vector<std::string>& more = {},
                         const std::string& classes = "base") {
  std::vector<std::string> arguments = {command,       workshop.write_study(kBaseRows),
                                        "--store",     "a.sqlite",
                                        "--cache-dir", "cache",
                                        "--classes",   classes,
                                        "--set",       "study.name=small"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_petlab(arguments, workshop.folder());
}

TEST(NewClasses, AreTestedWithTheAdaptersOfTheBaseClasses) {
  const Workshop workshop;
  EXPECT_THAT(petlab_on_classes(workshop, "plan").out,
              HasSubstr("csc, probe, tip: what they train belongs to the base classes"));
  const Output output = petlab_on_classes(workshop, "run", {"--seeds", "1"});
  ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out, AllOf(HasSubstr("coop seed 1  accuracy on new classes"),
                                HasSubstr("base classes: 2 of 4"),
                                Not(HasSubstr("probe seed 1  accuracy on new classes"))));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  ASSERT_EQ(store.evaluations().size(), 2U);
  for (const std::string& identity : store.evaluations()) {
    const auto tested = store.load(identity).value();
    const auto parent = store.load(tested.parent.value()).value();
    EXPECT_NE(tested.dataset_hash, parent.dataset_hash);
    EXPECT_NE(tested.split_hash, parent.split_hash);
    EXPECT_EQ(tested.trained_hash, parent.trained_hash);
    const auto base = store.split(parent.split_hash).value();
    const auto fresh = store.split(tested.split_hash).value();
    ASSERT_EQ(base.tasks.size(), 3U);
    for (std::size_t t = 0; t < 3; ++t) {
      EXPECT_EQ(base.tasks[t].classes.size(), 2U);
      EXPECT_EQ(fresh.tasks[t].classes.size(), 2U);
      EXPECT_LT(base.tasks[t].classes.back(), fresh.tasks[t].classes.front());
    }
  }
  // The table, and nothing twice.
  EXPECT_THAT(output.out, HasSubstr("harmonic mean"));
  const Output again = petlab_on_classes(workshop, "run", {"--seeds", "1"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, Not(HasSubstr("accuracy on new classes")));
}

TEST(NewClasses, NeedAdaptersAndEnoughClasses) {
  const Workshop workshop;
  const Output without = petlab_on_classes(workshop, "run", {"--no-adapters"});
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_THAT(without.err, HasSubstr("leave --no-adapters out"));
  const Output unknown = petlab_on_classes(workshop, "run", {}, "old");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("expected one of all, base, new"));
}

TEST(NewClasses, ThatAreTooFewAreFoundBeforeAnyRun) {
  const Workshop workshop;
  for (const char* domain : {"Art", "Photo", "Sketch"})
    std::filesystem::remove_all(workshop.folder() / "pictures" / domain / "mug");
  for (const char* command : {"plan", "run"}) {
    const Output output = petlab_on_classes(workshop, command);
    EXPECT_EQ(output.exit_code, 3) << command << output.out;
    EXPECT_THAT(output.err, AllOf(HasSubstr("the test on new classes: domain 'Art'"),
                                  HasSubstr("has 1 of the new classes")));
    EXPECT_THAT(output.out, Not(HasSubstr("seed 1")));
  }
}

}  // namespace
}  // namespace petlab::tests
