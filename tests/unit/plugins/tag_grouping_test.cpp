#include "fake_grouping_host.hpp"
#include "loaded_plugin.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace petlab::tests {
namespace {

at::Tensor numbers(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

/// Losses 2 and 4; a step of a lowers them to 1 and 3, a step of b to 2.5 and 2. One step later all
/// of it is twice as much but for a's step, which then does nothing.
FakeGroupingHost make_tag_host() {
  FakeGroupingHost host({"a", "b"}, 3, [](std::int64_t) { return at::zeros({2, 1}); });
  host.losses = [](std::int64_t step) { return numbers({2, 4}) * (step == 0 ? 1.0 : 2.0); };
  host.losses_after = [](std::int64_t step, std::int64_t task) {
    if (step == 0) return task == 0 ? numbers({1, 3}) : numbers({2.5, 2});
    return task == 0 ? numbers({4, 8}) : numbers({5, 4});
  };
  return host;
}

sdk::GroupingResult find_by_tag(FakeGroupingHost& host, const GivenOptions& given = {}) {
  return make_grouping("tag_grouping", "tag", given)->find(host);
}

TEST(TagGrouping, AffinityIsWhatAStepOfOneTaskSavesTheOther) {
  FakeGroupingHost host = make_tag_host();
  // Run epochs 2, 3 steps each; measured at steps 0 and 3.
  const at::Tensor affinity = find_by_tag(host, {{"groups", "1"}, {"every", "3"}}).affinity;
  EXPECT_EQ(host.gradient_calls, 2);
  EXPECT_EQ(host.joint_calls, 4);
  EXPECT_EQ(host.step_calls, 6);
  EXPECT_EQ(affinity.scalar_type(), at::kDouble);
  // Z(i -> j) = 1 - after / before: [a -> a, a -> b; b -> a, b -> b], the mean of two steps.
  EXPECT_TRUE(at::allclose(affinity, numbers({0.25, 0.125, -0.25, 0.5}).view({2, 2})));
}

TEST(TagGrouping, StepsAheadAtTheRunsRateOrItsOwn) {
  FakeGroupingHost host = make_tag_host();
  (void)find_by_tag(host, {{"groups", "1"}, {"warm-up-epochs", "1"}});
  EXPECT_EQ(host.look_aheads, (std::vector<double>{0.25, 0.25}));
  host.look_aheads.clear();
  (void)find_by_tag(host, {{"groups", "1"}, {"warm-up-epochs", "1"}, {"look-ahead", "0.5"}});
  EXPECT_EQ(host.look_aheads, (std::vector<double>{0.5, 0.5}));
}

/// Every pair but {a, b} harms; both tasks of it gain 0.1.
FakeGroupingHost make_hostile_host() {
  FakeGroupingHost host({"a", "b", "c", "d"}, 1, [](std::int64_t) { return at::zeros({4, 1}); });
  host.losses = [](std::int64_t) { return numbers({1, 1, 1, 1}); };
  host.losses_after = [](std::int64_t, std::int64_t task) {
    at::Tensor after = at::full({4}, 1.2, at::kDouble);
    if (task < 2) after[1 - task] = 0.9;
    after[task] = 0.5;
    return after;
  };
  return host;
}

TEST(TagGrouping, ScoresATaskThatIsAloneAsItIsTold) {
  const auto best = [](const char* groups, const char* alone) {
    FakeGroupingHost host = make_hostile_host();
    return find_by_tag(host, {{"groups", groups}, {"alone", alone}, {"every", "1"}})
        .partitions.at(0);
  };
  // As published: company, however bad.
  EXPECT_EQ(best("0", "avoid").partition, (sdk::Partition{{0, 1}, {2, 3}}));
  EXPECT_NEAR(best("0", "avoid").score, (0.1 + 0.1 - 0.2 - 0.2) / 4, 1e-12);
  EXPECT_EQ(best("2", "avoid").partition, (sdk::Partition{{0, 1}, {2, 3}}));
  EXPECT_EQ(best("4", "avoid").partition.size(), 4U);
  EXPECT_EQ(best("0", "zero").partition, (sdk::Partition{{0, 1}, {2}, {3}}));
  EXPECT_NEAR(best("0", "zero").score, 0.2 / 4, 1e-12);
  EXPECT_EQ(best("0", "self").partition, (sdk::Partition{{0}, {1}, {2}, {3}}));
  EXPECT_NEAR(best("0", "self").score, 0.5, 1e-12);
}

TEST(TagGrouping, NamesTheTaskWhoseAffinityIsNotFinite) {
  FakeGroupingHost host = make_tag_host();
  host.losses = [](std::int64_t) { return numbers({2, 0}); };
  host.losses_after = [](std::int64_t, std::int64_t task) {
    return task == 0 ? numbers({1, 0}) : numbers({1, 1});
  };
  EXPECT_EQ(error_of(sdk::ErrorKind::numeric, [&] { (void)find_by_tag(host); }),
            "grouping 'tag': the affinity of task 'a' is not finite at warm-up step 1");
}

TEST(TagGrouping, RefusesMoreGroupsThanTasks) {
  FakeGroupingHost host = make_tag_host();
  EXPECT_EQ(error_of(sdk::ErrorKind::config, [&] { (void)find_by_tag(host, {{"groups", "3"}}); }),
            "grouping 'tag': option 'groups' is 3, expected at most 2, the number of tasks (0 "
            "stands for any)");
  EXPECT_EQ(host.gradient_calls, 0);
}

}  // namespace
}  // namespace petlab::tests
