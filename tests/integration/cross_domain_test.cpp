#include "petlab/results/named_values.hpp"
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
using results::RunRecord;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTwoSharings =
    "[row.coop]\nmethod = coop\nsharing = per-task\n"
    "[row.joint]\nmethod = coop\nsharing = joint\n";

Output petlab_across(const Workshop& workshop, const std::string& command,
                     const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {command,       workshop.write_study(kTwoSharings),
                                        "--store",     "a.sqlite",
                                        "--cache-dir", "cache",
                                        "--seeds",     "1",
                                        "--set",       "study.name=small"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_petlab(arguments, workshop.folder());
}

std::vector<RunRecord> evaluations(const RunStore& store) {
  std::vector<RunRecord> all;
  for (const std::string& identity : store.evaluations())
    all.push_back(store.load(identity).value());
  return all;
}

std::string tested_as(const RunRecord& run) {
  return results::value_of(run.environment, results::environment::kTestedAs);
}

TEST(CrossDomain, TestsEachTasksAdaptersOnEveryDomain) {
  const Workshop workshop;
  const Output output = petlab_across(workshop, "run", {"--cross-domain", "yes"});
  ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("coop seed 1  accuracy on all domains with the adapters of"),
                    HasSubstr("Cross-domain accuracy"), HasSubstr("adapters of")));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const std::vector<RunRecord> tested = evaluations(store);
  ASSERT_EQ(tested.size(), 3U);  // none of the joint row, whose tasks share all adapters
  const RunRecord parent = store.load(tested.front().parent.value()).value();
  EXPECT_EQ(parent.sharing, "per-task");
  std::set<std::string> adapters_of;
  for (const RunRecord& run : tested) {
    EXPECT_EQ(run.parent, parent.identity.hash);
    adapters_of.insert(tested_as(run));
    ASSERT_EQ(run.tasks.size(), parent.tasks.size());
    bool differs = false;
    for (std::size_t t = 0; t < run.tasks.size(); ++t) {
      for (std::size_t i = 0; i < run.tasks[t].predictions.size(); ++i) {
        const bool equal =
            run.tasks[t].predictions[i].probability == parent.tasks[t].predictions[i].probability;
        if (run.tasks[t].task == tested_as(run)) {
          EXPECT_TRUE(equal);  // the diagonal
        }
        differs = differs || !equal;
      }
    }
    EXPECT_TRUE(differs) << tested_as(run);
  }
  EXPECT_EQ(adapters_of.size(), 3U);
  const Output again = petlab_across(workshop, "run", {"--cross-domain", "yes"});
  EXPECT_THAT(again.out, Not(HasSubstr("accuracy on all domains")));
}

TEST(CrossDomain, LeavesEachDomainOutInTurn) {
  const Workshop workshop;
  const Output output = petlab_across(workshop, "run", {"--leave-out", "each"});
  ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out, HasSubstr("Accuracy on the domain left out"));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  EXPECT_EQ(store.studies().size(), 3U);
  std::map<std::string, int> times;  // that a domain was tested
  for (const RunRecord& run : evaluations(store)) {
    ASSERT_EQ(run.tasks.size(), 1U);
    ++times[run.tasks.front().task];
    const RunRecord parent = store.load(run.parent.value()).value();
    EXPECT_EQ(parent.tasks.size(), 2U);
    for (const results::TaskResult& task : parent.tasks)
      EXPECT_NE(task.task, run.tasks.front().task);
    EXPECT_EQ(tested_as(run).empty(), parent.sharing == "joint");
  }
  ASSERT_EQ(times.size(), 3U);
  for (const auto& [domain, number] : times)
    EXPECT_EQ(number, 3) << domain;  // one of the joint row, one a task of the other
}

TEST(CrossDomain, NeedsAKnownDomainAndAdapters) {
  const Workshop workshop;
  const Output unknown = petlab_across(workshop, "plan", {"--leave-out", "nowhere"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("the data set has no domain 'nowhere'"));
  const Output only = petlab_across(workshop, "plan", {"--leave-out", "each", "--domains", "Art"});
  EXPECT_NE(only.exit_code, 0);
  const Output without = petlab_across(workshop, "run", {"--cross-domain", "yes", "--no-adapters"});
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_THAT(without.err, HasSubstr("leave --no-adapters out"));
}

}  // namespace
}  // namespace petlab::tests
