#include "petlab/engine/sampler.hpp"

#include "petlab/base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace petlab::engine {
namespace {

const std::vector<SampledTask> kTasks = {{"a", 13}, {"b", 4}, {"c", 1}, {"d", 0}};

TEST(Sampler, ShowsEveryImageOnceAnEpoch) {
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    std::map<std::int64_t, std::vector<std::int64_t>> seen;
    for (const Step& step : epoch_steps(kTasks, 3, /*seed=*/5, epoch)) {
      EXPECT_FALSE(step.empty());
      EXPECT_TRUE(std::is_sorted(step.begin(), step.end(),
                                 [](const auto& x, const auto& y) { return x.task < y.task; }));
      for (const TaskBatch& batch : step) {
        EXPECT_LE(batch.positions.size(), 3U);
        auto& list = seen[batch.task];
        list.insert(list.end(), batch.positions.begin(), batch.positions.end());
      }
    }
    for (auto& [task, list] : seen) {
      std::sort(list.begin(), list.end());
      ASSERT_EQ(static_cast<std::int64_t>(list.size()),
                kTasks[static_cast<std::size_t>(task)].images);
      for (std::size_t i = 0; i < list.size(); ++i)
        EXPECT_EQ(list[i], static_cast<std::int64_t>(i));
    }
  }
}

TEST(Sampler, OrderOfATaskDoesNotDependOnTheOthers) {
  const std::vector<Step> alone = epoch_steps({{"b", 4}}, 3, 5, 1);
  std::vector<std::vector<std::int64_t>> among_others;
  for (const Step& step : epoch_steps(kTasks, 3, 5, 1)) {
    for (const TaskBatch& batch : step) {
      if (batch.task == 1) among_others.push_back(batch.positions);
    }
  }
  ASSERT_EQ(alone.size(), among_others.size());
  for (std::size_t s = 0; s < alone.size(); ++s)
    EXPECT_EQ(alone[s][0].positions, among_others[s]);
}

TEST(Sampler, ShufflesAnewForEachSeedAndEpoch) {
  const SampledTask task{"a", 50};
  EXPECT_EQ(task_batches(task, 50, 1, 0), task_batches(task, 50, 1, 0));
  EXPECT_NE(task_batches(task, 50, 1, 0), task_batches(task, 50, 1, 1));
  EXPECT_NE(task_batches(task, 50, 1, 0), task_batches(task, 50, 2, 0));
  EXPECT_NE(task_batches(task, 50, 1, 0), task_batches({"b", 50}, 50, 1, 0));
}

TEST(Sampler, SpreadsTheBatchesOfSmallTasks) {
  std::vector<std::size_t> steps_of_small;
  const auto steps = epoch_steps({{"large", 12}, {"small", 3}}, 1, 1, 0);
  ASSERT_EQ(steps.size(), 12U);
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (steps[s].size() == 2) steps_of_small.push_back(s);
  }
  EXPECT_THAT(steps_of_small, ::testing::ElementsAre(2, 6, 10));
}

TEST(Sampler, RefusesABatchOfNothing) {
  EXPECT_THROW((void)steps_per_epoch(kTasks, 0), base::Error);
}

}  // namespace
}  // namespace petlab::engine
