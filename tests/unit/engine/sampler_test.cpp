#include "petlab/engine/sampler.hpp"

#include "petlab/base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace petlab::engine {
namespace {

const std::vector<SampledTask> kSampledTasks = {{"a", 13}, {"b", 4}, {"c", 1}, {"d", 0}};

TEST(Sampler, ShowsEveryImageOnceAnEpoch) {
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    std::map<std::int64_t, std::vector<std::int64_t>> seen;
    for (const Step& step : epoch_steps(kSampledTasks, 3, /*seed=*/5, epoch)) {
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
                kSampledTasks[static_cast<std::size_t>(task)].images);
      for (std::size_t i = 0; i < list.size(); ++i)
        EXPECT_EQ(list[i], static_cast<std::int64_t>(i));
    }
  }
}

TEST(Sampler, OrderOfATaskDoesNotDependOnTheOthers) {
  const std::vector<Step> alone = epoch_steps({{"b", 4}}, 3, 5, 1);
  std::vector<std::vector<std::int64_t>> among_others;
  for (const Step& step : epoch_steps(kSampledTasks, 3, 5, 1)) {
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
  EXPECT_THROW((void)steps_per_epoch(kSampledTasks, 0), base::Error);
}

TEST(Sampler, LeavesOutWhatFillsNoBatch) {
  const Batching full(3, /*drop=*/true);
  EXPECT_EQ(steps_per_epoch(kSampledTasks, full), 4);  // of 13; 5 with the last one
  const auto all = task_batches(kSampledTasks[0], 3, 5, 0);
  const auto dropped = task_batches(kSampledTasks[0], full, 5, 0);
  ASSERT_EQ(dropped.size(), 4U);
  for (std::size_t b = 0; b < 4; ++b)
    EXPECT_EQ(dropped[b], all[b]);
  // A list that is shorter than a batch is a batch.
  EXPECT_EQ(task_batches({"c", 2}, full, 5, 0), task_batches({"c", 2}, 3, 5, 0));
  EXPECT_TRUE(task_batches({"d", 0}, full, 5, 0).empty());
}

TEST(Sampler, AUnionsBatchesMixTheImagesOfItsTasks) {
  const Batching joint(4, false, {{0, 1, 2, 3}});
  EXPECT_EQ(steps_per_epoch(kSampledTasks, joint), 5);  // 18 images
  std::map<std::int64_t, std::vector<std::int64_t>> seen;
  bool mixed = false;
  const auto steps = epoch_steps(kSampledTasks, joint, 5, 1);
  for (std::size_t s = 0; s < steps.size(); ++s) {
    std::size_t images = 0;
    for (const TaskBatch& batch : steps[s]) {
      images += batch.positions.size();
      auto& list = seen[batch.task];
      list.insert(list.end(), batch.positions.begin(), batch.positions.end());
    }
    EXPECT_EQ(images, s + 1 < steps.size() ? 4U : 2U);
    mixed = mixed || steps[s].size() > 1;
    EXPECT_TRUE(std::is_sorted(steps[s].begin(), steps[s].end(),
                               [](const auto& x, const auto& y) { return x.task < y.task; }));
  }
  EXPECT_TRUE(mixed);
  for (const auto& [task, count] : std::map<std::int64_t, std::size_t>{{0, 13}, {1, 4}, {2, 1}}) {
    std::sort(seen[task].begin(), seen[task].end());
    ASSERT_EQ(seen[task].size(), count);
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_EQ(seen[task][i], static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(steps_per_epoch(kSampledTasks, Batching(4, true, {{0, 1, 2, 3}})), 4);
}

TEST(Sampler, AUnionOfOneTaskHasThatTasksBatches) {
  const auto alone = epoch_steps(kSampledTasks, 3, 5, 2);
  const auto unions = epoch_steps(kSampledTasks, Batching(3, false, {{0}, {1}, {2}, {3}}), 5, 2);
  ASSERT_EQ(alone.size(), unions.size());
  for (std::size_t s = 0; s < alone.size(); ++s) {
    ASSERT_EQ(alone[s].size(), unions[s].size());
    for (std::size_t b = 0; b < alone[s].size(); ++b)
      EXPECT_EQ(alone[s][b].positions, unions[s][b].positions);
  }
}

}  // namespace
}  // namespace petlab::engine
