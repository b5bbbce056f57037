#include "petlab/engine/schedule.hpp"

#include <gtest/gtest.h>

#include <array>

namespace petlab::engine {
namespace {

// From Dassl's two schedulers, run in Python around torch's CosineAnnealingLR: lr 0.002, 5 epochs,
// one of warm-up at 1e-5.
TEST(Schedule, IsThatOfCoOp) {
  Training training;
  training.epochs = 5;
  training.learning_rate = 0.002;
  constexpr std::array kExpected = {1e-05, 0.002, 0.0018090169943749475, 0.0013090169943749475,
                                    0.0006909830056250527};
  for (std::size_t e = 0; e < kExpected.size(); ++e) {
    EXPECT_NEAR(learning_rate_at(training, static_cast<std::int64_t>(e)), kExpected[e], 1e-12) << e;
  }
}

TEST(Schedule, WarmsUpAsLongAsAsked) {
  Training training;
  training.epochs = 10;
  training.learning_rate = 1.0;
  training.warmup_epochs = 3;
  EXPECT_EQ(learning_rate_at(training, 2), 1e-5);
  EXPECT_EQ(learning_rate_at(training, 3), 1.0);
  EXPECT_NEAR(learning_rate_at(training, 8), 0.5, 1e-12);  // half of the cosine's 10 epochs
  training.warmup_epochs = 0;
  EXPECT_EQ(learning_rate_at(training, 0), 1.0);
}

TEST(Schedule, WarmsUpAtNoHigherRateThanItTrainsAt) {
  Training training;
  training.learning_rate = 1e-12;
  training.warmup_epochs = 1;
  EXPECT_EQ(learning_rate_at(training, 0), 1e-12);
}

TEST(Schedule, MayBeConstant) {
  Training training;
  training.schedule = Schedule::constant;
  training.learning_rate = 0.3;
  training.warmup_epochs = 1;
  EXPECT_EQ(learning_rate_at(training, 0), 1e-5);
  EXPECT_EQ(learning_rate_at(training, 4), 0.3);
}

// torch.optim.lr_scheduler.CosineAnnealingLR(T_max = 8, eta_min = 1e-6) from 2e-4, stepped after
// each step: the closed form at its quarters.
TEST(Schedule, MayCountStepsAndEndAboveNothing) {
  Training training;
  training.epochs = 2;
  training.warmup_epochs = 0;
  training.learning_rate = 2e-4;
  training.end_learning_rate = 1e-6;
  training.schedule_interval = ScheduleInterval::step;
  const auto rate = [&](std::int64_t step) { return learning_rate_at_step(training, step, 4, 8); };
  EXPECT_EQ(rate(0), 2e-4);
  EXPECT_NEAR(rate(2), 1e-6 + 1.99e-4 * 0.8535533905932737, 1e-15);
  EXPECT_NEAR(rate(4), 1.005e-4, 1e-15);
  EXPECT_NEAR(rate(8), 1e-6, 1e-15);
  training.schedule_interval = ScheduleInterval::epoch;
  EXPECT_EQ(rate(3), 2e-4);
  EXPECT_NEAR(rate(4), 1.005e-4, 1e-15);
  training.schedule_interval = ScheduleInterval::step;
  training.warmup_epochs = 1;  // of four steps
  EXPECT_EQ(rate(3), 1e-5);
  EXPECT_EQ(rate(4), 2e-4);
  training.end_learning_rate = 1.0;  // no schedule goes up
  EXPECT_EQ(rate(7), 2e-4);
}

}  // namespace
}  // namespace petlab::engine
