#include "petlab/results/run_store.hpp"
#include "postgres_server.hpp"
#include "sample_records.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace petlab::results {
namespace {

using sample::RunChoice;

class VisitRuns : public testing::TestWithParam<sample::StoreKind> {};

TEST_P(VisitRuns, GivesThePlannedRunsWithWhatLoadGives) {
  const sample::TemporaryFolder folder;
  RunStore store(sample::new_store(GetParam(), folder));
  const SplitRecord split = sample::split(1);
  store.register_split(split);
  const RunChoice done{.method = "mmap", .sharing = "grouped", .grouping = "gradient"};
  const RunChoice failed{.method = "coop", .seed = 2};
  const RunChoice missing{.method = "coop", .seed = 3};
  store.register_split(sample::split(2));
  store.set_study(sample::study("demo", {{"first", {done}}, {"second", {failed, missing}}}));
  store.record(sample::done_run(done, split));
  store.record(sample::failed_run(failed, sample::split(2), "no memory"));
  const std::vector<StudyRun> planned = store.runs("demo");
  std::size_t at = 0;
  store.visit_runs("demo", LoadDetail::everything,
                   [&](const StudyRun& run, const std::optional<RunRecord>& record) {
                     ASSERT_LT(at, planned.size());
                     EXPECT_EQ(run.plan.hash, planned[at].plan.hash);
                     EXPECT_EQ(run.attempts, planned[at].attempts);
                     ++at;
                     ASSERT_EQ(record.has_value(), run.plan.seed != 3);
                     if (!record) return;
                     EXPECT_EQ(record->seed, run.plan.seed);
                     EXPECT_EQ(record->status, *run.status);
                     EXPECT_EQ(record->grouping.has_value(), run.plan.seed == 1);
                     EXPECT_EQ(record->epochs.size(), run.plan.seed == 1 ? 2U : 0U);
                   });
  EXPECT_EQ(at, 3U);
  store.visit_runs("demo", LoadDetail::without_predictions, [](const StudyRun&, auto record) {
    for (const TaskResult& task : record ? record->tasks : std::vector<TaskResult>())
      EXPECT_TRUE(task.predictions.empty());
  });
  store.visit_runs("no such study", LoadDetail::everything,
                   [](const StudyRun&, auto) { FAIL() << "visited"; });
}

PETLAB_ON_EVERY_KIND_OF_STORE(VisitRuns);

}  // namespace
}  // namespace petlab::results
