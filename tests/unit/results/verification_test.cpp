#include "petlab/results/verification.hpp"

#include "petlab/base/error.hpp"

#include <gtest/gtest.h>

namespace petlab::results {
namespace {

RunRecord finished_run() {
  RunRecord run;
  run.identity.hash = std::string(64, 'a');
  run.trained_hash = "weights";
  run.tasks = {{"line", 5, 3, 2, 0.25, {{1, 0.5}, {0, 0.25}, {2, 1.0}}},
               {"flat", 5, 2, 1, 0.5, {{1, 0.5}, {1, 0.75}}}};
  return run;
}

TEST(CompareRepeat, TellsTheLevels) {
  const RunRecord run = finished_run();
  const VerificationRecord same = compare_repeat(run, run);
  EXPECT_EQ(same.level, "bit-equal");
  EXPECT_EQ(same.predictions, 5);
  EXPECT_EQ(same.changed_predictions, 0);

  RunRecord other_weights = run;
  other_weights.trained_hash = "other";
  EXPECT_EQ(compare_repeat(run, other_weights).level, "same-kernel");
  RunRecord other_probability = run;
  other_probability.tasks[1].predictions[0].probability += 1.0 / 65535.0;
  EXPECT_EQ(compare_repeat(run, other_probability).level, "same-kernel");
  RunRecord other_loss = run;
  other_loss.tasks[0].loss = 0.2500000001;
  EXPECT_EQ(compare_repeat(run, other_loss).level, "same-kernel");

  RunRecord other_class = run;
  other_class.tasks[0].predictions[2].predicted = 0;
  EXPECT_EQ(compare_repeat(run, other_class).level, "statistical");
  EXPECT_EQ(compare_repeat(run, other_class).changed_predictions, 1);
}

TEST(CompareRepeat, RefusesWhatIsNoRepeat) {
  const RunRecord run = finished_run();
  RunRecord other = run;
  other.identity.hash = std::string(64, 'b');
  EXPECT_THROW(compare_repeat(run, other), base::Error);
  RunRecord failed = run;
  failed.status = RunStatus::failed;
  EXPECT_THROW(compare_repeat(run, failed), base::Error);
}

TEST(ClaimForRepeat, HoldsForOneCpuLevel) {
  RunRecord run = finished_run();
  run.determinism = "bit-equal";
  run.environment.emplace_back(environment::kCpuLevel, "avx512");
  RunRecord repeat = run;
  EXPECT_EQ(claim_for_repeat(run, repeat), "bit-equal");
  repeat.environment.back().second = "avx2";
  EXPECT_EQ(claim_for_repeat(run, repeat), "statistical");
  repeat.environment.pop_back();
  EXPECT_EQ(claim_for_repeat(run, repeat), "statistical");
}

TEST(Keeps, IsAPromiseOfAtLeast) {
  EXPECT_TRUE(keeps("bit-equal", "bit-equal"));
  EXPECT_FALSE(keeps("same-kernel", "bit-equal"));
  EXPECT_FALSE(keeps("statistical", "same-kernel"));
  EXPECT_TRUE(keeps("statistical", "statistical"));
  EXPECT_TRUE(keeps("bit-equal", "statistical"));
}

}  // namespace
}  // namespace petlab::results
