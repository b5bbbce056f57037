#include "petlab/base/error.hpp"
#include "petlab/engine/grouping_host.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::engine {
namespace {

using ::testing::ElementsAre;
using testing::run_well;
using testing::tiny_spec;

/// Tasks w and y say that every picture is a cup, tasks x and z that it is a bed: what helps one
/// pair harms the other.
RunInputs planted_inputs(const sdk::GroupingEntry& grouping) {
  RunInputs inputs;
  inputs.method = &testing::both_prompts();
  inputs.grouping = &grouping;
  inputs.backbone = testing::tiny_backbone();
  for (const char* name : {"w", "x", "y", "z"}) {
    testing::add_task(inputs, {name, {"cup", "bed"}, 12, 4});
  }
  for (std::size_t t = 0; t < 4; ++t) {
    for (std::int64_t& label : inputs.tasks[t].train.labels)
      label = static_cast<std::int64_t>(t % 2);
  }
  return inputs;
}

TEST(Grouping, FindsPlantedGroups) {
  RunSpec spec = tiny_spec("both", Sharing::grouped_specific, 2);
  spec.training.batch = 6;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    spec.seed = seed;
    const auto record = run_well(spec, planted_inputs(testing::by_gradients()));
    ASSERT_TRUE(record.grouping.has_value());
    EXPECT_THAT(record.grouping->partition,
                ElementsAre(ElementsAre("w", "y"), ElementsAre("x", "z")));
    EXPECT_EQ(record.grouping->strategy, "by-gradients");
    EXPECT_EQ(record.grouping->affinity.size(), 16U);
    EXPECT_GT(record.grouping->affinity[2], 0.0);  // w and y agree
    EXPECT_LT(record.grouping->affinity[1], 0.0);  // w and x do not
    EXPECT_EQ(record.grouping->runners_up.size(), 2U);
    EXPECT_GE(record.grouping->score, record.grouping->runners_up[0].score);
    EXPECT_EQ(record.epochs.front().phase, "warm-up");
    EXPECT_EQ(record.epochs.size(), 3U);
    EXPECT_EQ(record.parameters.size(), 2U + 4U + 1U);
    EXPECT_EQ(record.costs[1].phase, "warm-up");
    EXPECT_EQ(record.costs[1].images, 4 * 12);
  }
}

TEST(Grouping, CostsNothingWithoutGradients) {
  const auto record =
      run_well(tiny_spec("both", Sharing::grouped), planted_inputs(testing::all_in_one()));
  EXPECT_THAT(record.grouping->partition, ElementsAre(ElementsAre("w", "x", "y", "z")));
  EXPECT_TRUE(record.grouping->affinity.empty());
  EXPECT_EQ(record.costs[1].images, 0);
  for (const auto& epoch : record.epochs)
    EXPECT_EQ(epoch.phase, "train");
}

TEST(Grouping, GroupsMayStartFromTheWarmUp) {
  RunSpec spec = tiny_spec("both", Sharing::grouped, /*epochs=*/1);
  spec.training.learning_rate = 0.1;
  spec.training.warmup_epochs = 1;
  spec.training.warmup_learning_rate = 0.0;  // the loss of the run's epoch is that of the start
  const auto loss = [&](GroupStart start) {
    spec.training.group_start = start;
    return run_well(spec, planted_inputs(testing::by_gradients())).epochs.back().loss;
  };
  EXPECT_LT(loss(GroupStart::warm_up), loss(GroupStart::fresh) - 0.01);

  spec.training.group_start = GroupStart::warm_up;
  const auto record = testing::run(spec, planted_inputs(testing::all_in_one()));
  EXPECT_EQ(record.status, results::RunStatus::failed);
  EXPECT_EQ(record.error_kind, "config");
  EXPECT_THAT(record.error, ::testing::HasSubstr("trains no adapter that all tasks share"));
}

/// Looks at the host from inside.
class GradientProber final : public sdk::Grouping {
 public:
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override {
    EXPECT_EQ(host.steps_per_epoch(), 6);
    const at::Tensor first = host.task_gradients();
    EXPECT_EQ(first.size(0), 4);
    EXPECT_EQ(first.size(1), 2 * 2 * 16 + 2 * 2 * 12);
    EXPECT_EQ(first.scalar_type(), at::kFloat);
    // Without a step the adapter stays, so one epoch of batches averages to the same gradient as
    // the next one: order differs, images do not.
    const auto epoch_mean = [&host](at::Tensor sum, int draws) {
      for (int i = 0; i < draws; ++i)
        sum = sum + host.task_gradients();
      return sum / 6.0;
    };
    const at::Tensor one = epoch_mean(first, 5);
    const at::Tensor two = epoch_mean(at::zeros_like(first), 6);
    EXPECT_TRUE(at::allclose(one, two, 1e-3, 1e-5));
    EXPECT_GT(one.abs().max().item<double>(), 0.0);
    host.step();
    const at::Tensor moved = epoch_mean(at::zeros_like(first), 6);
    EXPECT_FALSE(at::allclose(one, moved, 1e-3, 1e-5));
    EXPECT_TRUE(host.generator().defined());
    return {{}, {{{{0}, {1, 2, 3}}, 0.0}}};
  }
};

TEST(GroupingHost, GivesGradientsOfTheNextBatches) {
  static constexpr sdk::GroupingEntry kGradientProbe{
      "probe", "", nullptr, 0, [](const sdk::Options&) -> std::unique_ptr<sdk::Grouping> {
        return std::make_unique<GradientProber>();
      }};
  (void)run_well(tiny_spec("both", Sharing::grouped, 1), planted_inputs(kGradientProbe));
}

template <int kind>
class BadGrouping final : public sdk::Grouping {
 public:
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override {
    if (kind == 0) return {{}, {{{{0, 1}}, 0.0}}};
    if (kind == 1) return {at::zeros({2, 2}), {{{{0, 1, 2, 3}}, 0.0}}};
    if (kind == 2) host.step();
    if (kind == 3) (void)host.search(at::zeros({4, 4}), 5, sdk::PartitionObjective::pair_sum, 1);
    return {};
  }
  static std::unique_ptr<sdk::Grouping> make(const sdk::Options&) {
    return std::make_unique<BadGrouping>();
  }
};

TEST(Grouping, ThatBreaksItsContractFailsTheRun) {
  static constexpr sdk::GroupingEntry kBad[] = {{"bad", "", nullptr, 0, BadGrouping<0>::make},
                                                {"bad", "", nullptr, 0, BadGrouping<1>::make},
                                                {"bad", "", nullptr, 0, BadGrouping<2>::make},
                                                {"bad", "", nullptr, 0, BadGrouping<3>::make},
                                                {"bad", "", nullptr, 0, BadGrouping<4>::make}};
  const char* const expected[] = {"each of the 4 tasks once", "one row and one column a task",
                                  "before it asked for gradients", "into 5 groups", "no partition"};
  for (std::size_t i = 0; i < std::size(kBad); ++i) {
    const auto record = testing::run(tiny_spec("both", Sharing::grouped), planted_inputs(kBad[i]));
    EXPECT_EQ(record.status, results::RunStatus::failed);
    EXPECT_THAT(record.error, ::testing::HasSubstr(expected[i]));
    EXPECT_THAT(record.error, ::testing::HasSubstr("method 'both'"));
    EXPECT_THAT(record.error, ::testing::HasSubstr("(in warm-up)"));
    EXPECT_EQ(record.error_kind, i == 3 ? "config" : "plugin");
  }
}

TEST(Grouping, NeedsSomethingToTrain) {
  RunInputs inputs = planted_inputs(testing::by_gradients());
  inputs.method = &testing::nothing();
  const auto record = testing::run(tiny_spec("nothing", Sharing::grouped), inputs);
  EXPECT_EQ(record.status, results::RunStatus::failed);
  EXPECT_EQ(record.error_kind, "config");
  EXPECT_THAT(record.error, ::testing::HasSubstr("trains nothing"));
}

}  // namespace
}  // namespace petlab::engine
