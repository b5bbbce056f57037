#include "petlab/study/expected_cost.hpp"

#include "petlab/results/identity.hpp"
#include "petlab/results/named_values.hpp"
#include "sample_records.hpp"

#include <gtest/gtest.h>

namespace petlab::study {
namespace {

using results::NamedValues;

NamedValues parts(const std::string& sharing = "joint", const std::string& epochs = "10",
                  std::uint64_t seed = 1) {
  return {{"method", "coop"},
          {"sharing", sharing},
          {"seed", std::to_string(seed)},
          {"train.epochs", epochs},
          {"train.device", "cpu"},
          {"train.precision", "fp32"},
          {"dataset.fingerprint", results::sample::split(1).dataset.hash},
          {"backbone.weights", "weights"}};
}

Job job(const NamedValues& identity_parts, std::int64_t epochs) {
  Job result;
  result.spec.method = "coop";
  result.spec.sharing = engine::Sharing::joint;
  result.spec.training.epochs = epochs;
  result.identity = results::make_identity(identity_parts);
  return result;
}

/// 2 s that stay, 3 s of warm-up and `train` s of training: 10 epochs over 100 pictures.
PastRun past(double train, std::int64_t bytes = 1000) {
  return {.kind = cost_kind(results::make_identity(parts()).parts),
          .fixed_seconds = 2.0,
          .warm_up_seconds = 3.0,
          .train_seconds = train,
          .epochs = 10.0,
          .train_images = 100.0,
          .cost = {.seconds = 5.0 + train, .peak_host_bytes = bytes}};
}

TEST(ExpectedCost, IsTheMedianOfRunsLikeIt) {
  const Job wanted = job(parts(), 10);
  EXPECT_FALSE(ExpectedCosts().of(wanted, 100).has_value());
  const auto of_one = ExpectedCosts({past(40.0)}).of(wanted, 100);
  ASSERT_TRUE(of_one.has_value());
  EXPECT_DOUBLE_EQ(of_one->cost.seconds, 45.0);
  EXPECT_EQ(of_one->runs, 1U);
  const auto of_three =
      ExpectedCosts({past(40.0, 9), past(10.0, 7), past(11.0, 8)}).of(wanted, 100);
  EXPECT_DOUBLE_EQ(of_three->cost.seconds, 16.0);
  EXPECT_EQ(of_three->cost.peak_host_bytes, 8);
  EXPECT_FALSE(of_three->cost.peak_device_bytes.has_value());
  const auto of_two = ExpectedCosts({past(40.0, 10), past(10.0, 20)}).of(wanted, 100);
  EXPECT_DOUBLE_EQ(of_two->cost.seconds, 30.0);
  EXPECT_EQ(of_two->cost.peak_host_bytes, 15);
}

TEST(ExpectedCost, ScalesTrainingByEpochsAndImagesAndWarmUpByImages) {
  EXPECT_DOUBLE_EQ(ExpectedCosts({past(40.0)}).of(job(parts(), 30), 100)->cost.seconds,
                   2.0 + 3.0 + 3 * 40.0);
  EXPECT_DOUBLE_EQ(ExpectedCosts({past(40.0)}).of(job(parts(), 10), 50)->cost.seconds,
                   2.0 + 1.5 + 20.0);
  EXPECT_DOUBLE_EQ(ExpectedCosts({past(40.0)}).of(job(parts(), 5), 200)->cost.seconds,
                   2.0 + 6.0 + 40.0);
  // A method that trains nothing has no training images that count.
  PastRun untrained = past(0.0);
  untrained.train_images = 0.0;
  EXPECT_DOUBLE_EQ(ExpectedCosts({untrained}).of(job(parts(), 10), 50)->cost.seconds, 5.0);
}

TEST(ExpectedCost, OfManyJobsIsThatOfEachAlone) {
  const std::vector<PastRun> all = {past(40.0), past(10.0), past(20.0)};
  ExpectedCosts costs(all);
  for (int twice = 0; twice < 2; ++twice)
    for (const std::int64_t epochs : {10, 30})
      for (const std::int64_t images : {50, 100})
        for (const char* sharing : {"joint", "per-task"}) {
          const Job wanted = job(parts(sharing), epochs);
          const auto one = ExpectedCosts(all).of(wanted, images);
          const auto of_many = costs.of(wanted, images);
          ASSERT_EQ(one.has_value(), sharing == std::string("joint"));
          ASSERT_EQ(of_many.has_value(), one.has_value());
          if (one) {
            EXPECT_DOUBLE_EQ(of_many->cost.seconds, one->cost.seconds);
          }
        }
}

TEST(ExpectedCost, EpochsAndSeedsMakeNoOtherKindButWhatIsComputedDoes) {
  EXPECT_EQ(cost_kind(parts("joint", "10", 1)), cost_kind(parts("joint", "20", 2)));
  EXPECT_NE(cost_kind(parts("joint")), cost_kind(parts("per-task")));
  for (const char* name :
       {"method", "train.device", "train.precision", "dataset.fingerprint", "backbone.weights"}) {
    NamedValues other = parts();
    for (auto& [key, value] : other)
      if (key == name) value = "another";
    EXPECT_NE(cost_kind(parts()), cost_kind(other)) << name;
  }
  NamedValues grouped = parts();
  grouped.emplace_back("grouping", "gradient");
  EXPECT_NE(cost_kind(parts()), cost_kind(grouped));
}

TEST(ExpectedCost, ComesFromTheStore) {
  const results::sample::TemporaryFolder folder;
  results::RunStore store(folder / "a.sqlite");
  results::StudyRecord study{.name = "small", .protocol = "", .plan = {}};
  const auto add = [&](const NamedValues& identity_parts, std::uint64_t seed, bool done) {
    const results::SplitRecord split = results::sample::split(seed);
    store.register_split(split);
    results::sample::RunChoice choice;
    choice.seed = seed;
    choice.grouping = results::value_of(identity_parts, "grouping");
    choice.train_seconds = 20.0;
    results::RunRecord run = done ? results::sample::done_run(choice, split)
                                  : results::sample::failed_run(choice, split, "it broke");
    run.identity = results::make_identity(identity_parts);
    store.record(run);
    study.plan.push_back({run.identity.hash, static_cast<std::int64_t>(study.plan.size()),
                          "row" + std::to_string(study.plan.size()), seed, "coop", "joint",
                          choice.grouping});
  };
  add(parts("joint", "10", 1), 1, /*done=*/true);
  add(parts("joint", "10", 2), 2, /*done=*/false);
  NamedValues elsewhere = parts("joint", "10", 3);
  elsewhere.emplace_back("grouping", "gradient");
  add(elsewhere, 3, /*done=*/true);
  store.set_study(study);
  study.name = "twice";
  store.set_study(study);

  const Job wanted = job(parts("joint", "20", 4), 20);
  const std::vector<PastRun> past = past_runs(store, {wanted});
  ASSERT_EQ(past.size(), 1U);
  EXPECT_DOUBLE_EQ(past[0].fixed_seconds, 2.5);
  EXPECT_DOUBLE_EQ(past[0].train_seconds, 20.0);
  EXPECT_DOUBLE_EQ(past[0].train_images, 8.0);  // 4 of each task
  const auto expected = ExpectedCosts(past).of(wanted, 8);
  ASSERT_TRUE(expected.has_value());
  EXPECT_DOUBLE_EQ(expected->cost.seconds, 2.5 + 2 * 20.0);
  EXPECT_EQ(expected->cost.peak_host_bytes, 2 << 20);
  EXPECT_EQ(expected->cost.peak_device_bytes, std::int64_t{1} << 33);
}

}  // namespace
}  // namespace petlab::study
