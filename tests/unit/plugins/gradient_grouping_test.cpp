#include "fake_grouping_host.hpp"
#include "loaded_plugin.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace petlab::tests {
namespace {

const std::vector<std::string> kTasks = {"line", "solid", "flat", "emoji"};

at::Tensor rows(std::vector<double> values, std::int64_t columns) {
  return at::tensor(values, at::kDouble).reshape({-1, columns}).to(at::kFloat);
}

/// Noisy gradients of tasks whose groups point to directions of their own; tasks differ in length.
at::Tensor planted(const std::vector<std::int64_t>& group_of_task, std::int64_t step) {
  const auto n = static_cast<std::int64_t>(group_of_task.size());
  at::Generator generator = make_generator(static_cast<std::uint64_t>(step));
  at::Tensor gradients = at::normal(0.0, 0.2, {n, 40}, generator, at::TensorOptions(at::kFloat));
  for (std::int64_t task = 0; task < n; ++task) {
    const std::int64_t group = group_of_task[static_cast<std::size_t>(task)];
    gradients[task].narrow(0, 10 * group, 10).add_(1.0);
    gradients[task].mul_(static_cast<double>(1 + 5 * task));
  }
  return gradients;
}

/// Gradients are compared from the first step on where `given` says no other.
sdk::GroupingResult find_by_gradient(FakeGroupingHost& host, GivenOptions given = {}) {
  given.emplace("settle-epochs", "0");
  return make_grouping("gradient_grouping", "gradient", given)->find(host);
}

TEST(GradientGrouping, FindsThePlantedGroupsInEveryMode) {
  const sdk::Partition expected = {{0, 2}, {1, 3}};
  for (const char* objective : {"pair-sum", "pair-sum-centred", "group-density", "task-mean"})
    for (const char* accumulate : {"mean-of-cosines", "cosine-of-mean", "momentum"}) {
      FakeGroupingHost host(kTasks, 5,
                            [](std::int64_t step) { return planted({0, 1, 0, 1}, step); });
      const auto result =
          find_by_gradient(host, {{"objective", objective}, {"accumulate", accumulate}});
      ASSERT_EQ(result.partitions.size(), 7u);  // all partitions of 4 tasks into 2 groups
      EXPECT_EQ(result.partitions[0].partition, expected) << objective << " " << accumulate;
      EXPECT_GT(result.partitions[0].score, result.partitions[1].score);
    }
}

TEST(GradientGrouping, FindsGroupsOfUnequalSizeAmongSixTasks) {
  FakeGroupingHost host({"a", "b", "c", "d", "e", "f"}, 3,
                        [](std::int64_t step) { return planted({2, 0, 1, 0, 0, 1}, step); });
  const sdk::Partition expected = {{0}, {1, 3, 4}, {2, 5}};
  EXPECT_EQ(find_by_gradient(host, {{"groups", "3"}}).partitions[0].partition, expected);
}

TEST(GradientGrouping, WarmsUpForItsEpochsWithAStepAfterEachGradient) {
  FakeGroupingHost host(kTasks, 5, [](std::int64_t step) { return planted({0, 0, 1, 1}, step); });
  (void)find_by_gradient(host, {{"warm-up-epochs", "3"}});
  EXPECT_EQ(host.gradient_calls, 15);
  EXPECT_EQ(host.step_calls, 15);
}

TEST(GradientGrouping, ComparesGradientsWhereTheAdapterHasBeenTrained) {
  // Groups that change after an epoch: those behind it count.
  FakeGroupingHost host(kTasks, 5, [](std::int64_t step) {
    return step < 5 ? planted({0, 0, 1, 1}, step) : planted({0, 1, 0, 1}, step);
  });
  const auto result = make_grouping("gradient_grouping", "gradient", GivenOptions{})->find(host);
  EXPECT_EQ(host.joint_calls, 5);
  EXPECT_EQ(host.gradient_calls, 5);
  EXPECT_EQ(result.partitions[0].partition, (sdk::Partition{{0, 2}, {1, 3}}));
}

TEST(GradientGrouping, PrefersNoSizesOfGroups) {
  // All pairs are alike but for 0 and 1, 2 and 3, which are a little nearer: by their sum alone,
  // three pairs of the others are more.
  const auto gradients = [](std::int64_t) {
    at::Tensor rows = at::ones({4, 8});
    rows.narrow(0, 0, 2).narrow(1, 0, 2) += 0.2;
    rows.narrow(0, 2, 2).narrow(1, 2, 2) += 0.2;
    return rows;
  };
  const sdk::Partition pairs = {{0, 1}, {2, 3}};
  FakeGroupingHost host(kTasks, 1, gradients);
  EXPECT_EQ(find_by_gradient(host).partitions[0].partition, pairs);
  FakeGroupingHost other(kTasks, 1, gradients);
  const auto by_sum = find_by_gradient(other, {{"objective", "pair-sum"}}).partitions[0].partition;
  EXPECT_EQ(std::max(by_sum[0].size(), by_sum[1].size()), 3U);
}

TEST(GradientGrouping, WarmsUpForStepsAndLooksAtSomeOfThem) {
  FakeGroupingHost host(kTasks, 5, [](std::int64_t step) { return planted({0, 0, 1, 1}, step); });
  (void)find_by_gradient(host, {{"warm-up-steps", "7"}, {"every", "3"}});
  EXPECT_EQ(host.gradient_calls, 3);  // steps 0, 3 and 6
  EXPECT_EQ(host.joint_calls, 4);
  EXPECT_EQ(host.step_calls, 7);
}

TEST(GradientGrouping, AffinityIsTheMeanOfTheStepsCosines) {
  // Step 0: cosine 1; step 1: cosine 0 with gradients a hundred times as long.
  FakeGroupingHost host({"a", "b"}, 2, [](std::int64_t step) {
    return step == 0 ? rows({1, 0, 1, 0}, 2) : rows({100, 0, 0, 100}, 2);
  });
  const at::Tensor affinity = find_by_gradient(host, {{"groups", "1"}}).affinity;
  EXPECT_EQ(affinity.scalar_type(), at::kDouble);
  EXPECT_TRUE(at::allclose(affinity, at::tensor({1.0, 0.5, 0.5, 1.0}, at::kDouble).view({2, 2})));
}

TEST(GradientGrouping, AffinityCanBeTheCosineOfTheMeanGradient) {
  FakeGroupingHost host({"a", "b"}, 2, [](std::int64_t step) {
    return step == 0 ? rows({3, 0, 4, 0}, 2) : rows({0, 0, 0, 3}, 2);
  });
  const at::Tensor affinity =
      find_by_gradient(host, {{"groups", "1"}, {"accumulate", "cosine-of-mean"}}).affinity;
  EXPECT_NEAR(affinity[0][1].item<double>(), 0.8, 1e-12);  // (3, 0) and (4, 3)
}

TEST(GradientGrouping, AffinityCanBeOfGradientsWithMomentum) {
  // Momentum 0.5: task b's (0, 4), then (3, 2): against (1, 0) cosines 0 and 3 / sqrt(13).
  FakeGroupingHost host({"a", "b"}, 2, [](std::int64_t step) {
    return step == 0 ? rows({1, 0, 0, 4}, 2) : rows({1, 0, 3, 0}, 2);
  });
  const at::Tensor affinity =
      find_by_gradient(host, {{"groups", "1"}, {"accumulate", "momentum"}, {"momentum", "0.5"}})
          .affinity;
  EXPECT_NEAR(affinity[0][1].item<double>(), 0.5 * 3.0 / std::sqrt(13.0), 1e-12);
}

/// Two parameters, "text.a" [2, 2] and "vision" [2, 1]: six columns.
FakeGroupingHost make_selective_host() {
  FakeGroupingHost host({"a", "b"}, 1, [](std::int64_t) {
    return rows({1, 0, 3, 4, 1, 0,  //
                 1, 0, 4, 3, 0, 1},
                6);
  });
  host.parameters = {{"text.a", {2, 2}, 0}, {"vision", {2, 1}, 4}};
  return host;
}

TEST(GradientGrouping, LooksAtTheParametersThatItIsTold) {
  const auto cosine = [](const GivenOptions& options) {
    FakeGroupingHost host = make_selective_host();
    GivenOptions given = options;
    given["groups"] = "1";
    return find_by_gradient(host, given).affinity[0][1].item<double>();
  };
  EXPECT_NEAR(cosine({}), 25.0 / 27.0, 1e-12);
  EXPECT_NEAR(cosine({{"parameters", "text*"}}), 25.0 / 26.0, 1e-12);
  EXPECT_NEAR(cosine({{"parameters", "vision"}}), 0.0, 1e-12);
  EXPECT_NEAR(cosine({{"parameters", "*.a, vis*n"}}), 25.0 / 27.0, 1e-12);
  EXPECT_NEAR(cosine({{"parameters", "text*"}, {"layer", "0"}}), 1.0, 1e-12);
  EXPECT_NEAR(cosine({{"parameters", "text*"}, {"layer", "1"}}), 24.0 / 25.0, 1e-12);
  EXPECT_NEAR(cosine({{"layer", "1"}}), 24.0 / std::sqrt(25.0 * 26.0), 1e-12);
}

TEST(GradientGrouping, SaysWhichParametersThereAre) {
  FakeGroupingHost host = make_selective_host();
  EXPECT_EQ(error_of(sdk::ErrorKind::config,
                     [&] { (void)find_by_gradient(host, {{"parameters", "image*"}}); }),
            "grouping 'gradient': option 'parameters' is 'image*', which fits none of the "
            "adapter's parameters text.a, vision");
  EXPECT_EQ(
      error_of(sdk::ErrorKind::config, [&] { (void)find_by_gradient(host, {{"layer", "2"}}); }),
      "grouping 'gradient': option 'layer' is 2, but parameter 'text.a' has no such row in "
      "its first dimension");
}

TEST(GradientGrouping, TasksWithoutAGradientAreLikeNoOther) {
  FakeGroupingHost host({"a", "b"}, 1, [](std::int64_t) { return rows({1, 2, 0, 0}, 2); });
  const at::Tensor affinity = find_by_gradient(host, {{"groups", "1"}}).affinity;
  EXPECT_EQ(affinity[0][1].item<double>(), 0.0);
}

TEST(GradientGrouping, NamesTheTaskWhoseGradientIsNotFinite) {
  FakeGroupingHost host(kTasks, 4, [](std::int64_t step) {
    at::Tensor gradients = planted({0, 0, 1, 1}, step);
    if (step == 2) gradients[3][7] = std::numeric_limits<float>::quiet_NaN();
    return gradients;
  });
  EXPECT_EQ(error_of(sdk::ErrorKind::numeric, [&] { (void)find_by_gradient(host); }),
            "grouping 'gradient': the gradient of task 'emoji' is not finite at warm-up step 3");
}

TEST(GradientGrouping, RefusesMoreGroupsThanTasksBeforeItTrains) {
  FakeGroupingHost host(kTasks, 4, [](std::int64_t step) { return planted({0, 0, 1, 1}, step); });
  EXPECT_EQ(
      error_of(sdk::ErrorKind::config, [&] { (void)find_by_gradient(host, {{"groups", "5"}}); }),
      "grouping 'gradient': option 'groups' is 5, expected at most 4, the number of tasks "
      "(0 stands for any)");
  EXPECT_EQ(host.gradient_calls, 0);
}

}  // namespace
}  // namespace petlab::tests
