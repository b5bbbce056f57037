#include "petlab/base/error.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/trainer.hpp"
#include "tiny_bench.hpp"
#include "tiny_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// How long a run trains, and what its steps are made of: tasks of 7, 4 and 3 images, batches of 2.
namespace petlab::engine {
namespace {

using testing::run_well;
using testing::tiny_inputs;
using testing::tiny_spec;

TEST(Budget, StepsEndInTheMiddleOfAnEpoch) {
  const RunInputs inputs = tiny_inputs(testing::both_prompts());
  RunSpec spec = tiny_spec("both", Sharing::joint, 9);
  const auto epochs = run_well(spec, inputs);
  ASSERT_EQ(epochs.epochs.at(0).steps, 4);
  spec.training.steps = 10;
  const auto record = run_well(spec, inputs);
  ASSERT_EQ(record.epochs.size(), 3U);
  EXPECT_EQ(record.epochs[0].steps, 4);
  EXPECT_EQ(record.epochs[2].steps, 2);
  EXPECT_LT(record.epochs[2].images, record.epochs[0].images);
  // Three epochs' cosine, not that of the nine.
  RunSpec three = tiny_spec("both", Sharing::joint, 3);
  const auto whole = run_well(three, inputs);
  for (std::size_t e = 0; e < 3; ++e)
    EXPECT_EQ(record.epochs[e].learning_rate, whole.epochs[e].learning_rate);
  EXPECT_EQ(record.epochs[1].loss, whole.epochs[1].loss);
  EXPECT_NE(record.trained_hash, whole.trained_hash);
  // As many steps as the epochs are is the same training.
  spec.training.steps = 12;
  EXPECT_EQ(run_well(spec, inputs).trained_hash, whole.trained_hash);
}

TEST(Budget, StepsThatAreAllWarmUpAreRefused) {
  RunSpec spec = tiny_spec("both", Sharing::joint);
  spec.training.steps = 4;
  const auto record = testing::run(spec, tiny_inputs(testing::both_prompts()));
  EXPECT_EQ(record.error_kind, "config");
  EXPECT_THAT(record.error, ::testing::HasSubstr("train.steps is 4, which is 1 epochs of 4 steps, "
                                                 "but warmup-epochs is 1, expected fewer"));
}

TEST(Budget, APerTaskRunIsThatOfEachTaskAloneWithEveryWayToStep) {
  const RunInputs inputs = tiny_inputs(testing::text_prompts());
  RunSpec spec = tiny_spec("text", Sharing::per_task, 3);
  spec.training.sampler = Sampler::union_of_tasks;
  spec.training.drop_last = true;
  spec.training.clip_gradient = 0.01;
  const auto together = run_well(spec, inputs);
  for (std::size_t t = 0; t < inputs.tasks.size(); ++t) {
    RunInputs one = inputs;
    one.tasks = {inputs.tasks[t]};
    one.load_test = [only = inputs.load_test()[t]] { return std::vector<LabelledImages>{only}; };
    const auto alone = run_well(spec, one);
    EXPECT_NEAR(alone.tasks[0].loss, together.tasks[t].loss, 1e-4);
  }
}

TEST(Budget, EachWayToStepIsAnotherTraining) {
  const RunInputs inputs = tiny_inputs(testing::both_prompts());
  const RunSpec plain = tiny_spec("both", Sharing::joint, 3);
  const std::string hash = run_well(plain, inputs).trained_hash;
  const auto other = [&](const auto& change) {
    RunSpec spec = plain;
    change(spec.training);
    return run_well(spec, inputs);
  };
  const auto mixed = other([](Training& t) { t.sampler = Sampler::union_of_tasks; });
  EXPECT_EQ(mixed.epochs.at(0).steps, 7);  // 14 images in batches of 2
  EXPECT_EQ(mixed.epochs.at(0).images, 14);
  EXPECT_NE(mixed.trained_hash, hash);
  const auto dropped = other([](Training& t) { t.drop_last = true; });
  EXPECT_EQ(dropped.epochs.at(0).images, 6 + 4 + 2);
  EXPECT_NE(dropped.trained_hash, hash);
  EXPECT_NE(other([](Training& t) { t.clip_gradient = 1e-3; }).trained_hash, hash);
  EXPECT_EQ(other([](Training& t) { t.clip_gradient = 1e6; }).epochs.back().steps, 4);
  EXPECT_NE(other([](Training& t) { t.schedule_interval = ScheduleInterval::step; }).trained_hash,
            hash);
  EXPECT_NE(other([](Training& t) { t.end_learning_rate = 0.04; }).trained_hash, hash);
  EXPECT_NE(other([](Training& t) { t.optimizer = OptimizerKind::adam; }).trained_hash, hash);
}

}  // namespace
}  // namespace petlab::engine
