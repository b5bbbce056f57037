#include "assignment.hpp"
#include "fake_grouping_host.hpp"
#include "loaded_plugin.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace petlab::tests {
namespace {

using plugins::dmtg_grouping::assignment_entropy;
using plugins::dmtg_grouping::gumbel_softmax;
using plugins::dmtg_grouping::likeliest_partitions;

TEST(GumbelSoftmax, DrawsTheLargestInProportionToTheSoftmax) {
  // The Gumbel-max property, at any temperature.
  at::Generator generator = make_generator(3);
  const at::Tensor logits = at::tensor({1.0F, 0.0F, -0.5F});
  const at::Tensor p = logits.softmax(-1);
  for (const double temperature : {0.1, 2.5}) {
    constexpr std::int64_t kDraws = 20000;
    const at::Tensor sample = gumbel_softmax(logits.expand({kDraws, 3}), temperature, generator);
    EXPECT_TRUE(at::allclose(sample.sum(1), at::ones({kDraws}), 1e-5, 1e-5));
    const at::Tensor share = at::one_hot(sample.argmax(1), 3).to(at::kFloat).mean(0);
    EXPECT_TRUE(at::allclose(share, p, 0.0, 0.015)) << share;  // 4 standard deviations
  }
}

TEST(GumbelSoftmax, IsHardWhenColdAndEvenWhenHot) {
  at::Generator generator = make_generator(4);
  const at::Tensor logits = at::zeros({500, 4});
  EXPECT_GT(gumbel_softmax(logits, 1e-3, generator).amax(1).mean().item<double>(), 0.99);
  EXPECT_LT(gumbel_softmax(logits, 1e3, generator).amax().item<double>(), 0.26);
}

TEST(GumbelSoftmax, IsDifferentiable) {
  at::Generator generator = make_generator(5);
  const at::Tensor logits = at::zeros({1, 2}).requires_grad_();
  const at::Tensor weights = gumbel_softmax(logits, 2.0, generator);
  weights[0][0].backward();
  const double w = weights[0][0].item<double>();
  EXPECT_NEAR(logits.grad()[0][0].item<double>(), w * (1.0 - w) / 2.0, 1e-6);
}

TEST(AssignmentEntropy, IsThatOfTheGroupProbabilities) {
  const double p = 0.8;
  const at::Tensor logits =
      at::tensor({std::log(p), std::log(1.0 - p), 0.0, 0.0}, at::kDouble).view({2, 2});
  const auto binary = [](double q) { return -q * std::log(q) - (1.0 - q) * std::log(1.0 - q); };
  EXPECT_NEAR(assignment_entropy(logits).item<double>(),
              (2.0 * binary(0.8) + 2.0 * binary(0.5)) / 2.0, 1e-12);
  EXPECT_NEAR(
      assignment_entropy(at::tensor({900.0, -900.0}, at::kDouble).view({1, 2})).item<double>(), 0.0,
      1e-12);
}

TEST(LikeliestPartitions, TakeEachTasksGroupAndDropEmptyOnes) {
  // Groups 2, 0, 2 of three; the second task nearly went to group 2 as well.
  const at::Tensor p = at::tensor({0.1, 0.1, 0.8,  //
                                   0.5, 0.1, 0.4,  //
                                   0.2, 0.2, 0.6},
                                  at::kDouble)
                           .view({3, 3});
  const auto found = likeliest_partitions(p.log(), 4);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].partition, (sdk::Partition{{0, 2}, {1}}));
  EXPECT_NEAR(found[0].score, (std::log(0.8) + std::log(0.5) + std::log(0.6)) / 3, 1e-12);
  EXPECT_EQ(found[1].partition, (sdk::Partition{{0, 1, 2}}));
  EXPECT_NEAR(found[1].score, (std::log(0.8) + std::log(0.4) + std::log(0.6)) / 3, 1e-12);
  // The third task with the second, or alone: as likely; one task elsewhere is no new partition
  // where its group is as empty as before.
  EXPECT_EQ(found[2].partition, (sdk::Partition{{0}, {1, 2}}));
  EXPECT_EQ(found[3].partition, (sdk::Partition{{0}, {1}, {2}}));
}

/// Losses that do not change: branch 0 suits tasks a and c, branch 1 suits b and d.
FakeGroupingHost make_dmtg_host() {
  FakeGroupingHost host({"a", "b", "c", "d"}, 50, [](std::int64_t) { return at::Tensor(); });
  host.losses_of_branches = [](std::int64_t, std::int64_t branches) {
    at::Tensor losses = at::full({4, branches}, 2.0);
    for (std::int64_t task = 0; task < 4; ++task)
      losses[task][task % 2] = 1.0;
    return losses;
  };
  // The host's step for the strategy's own tensors, plainly: down the gradient.
  host.on_branch_step = [](const at::Tensor& loss, const std::vector<at::Tensor>& own,
                           double learning_rate) {
    loss.backward();
    const at::NoGradGuard no_grad;
    for (const at::Tensor& tensor : own) {
      at::Tensor value = tensor;
      value.sub_(value.grad(), 10.0 * learning_rate);
      value.mutable_grad().reset();
    }
  };
  return host;
}

sdk::GroupingResult find_by_dmtg(FakeGroupingHost& host, const GivenOptions& given = {}) {
  return make_grouping("dmtg_grouping", "dmtg", given)->find(host);
}

TEST(DmtgGrouping, LearnsTheBranchThatSuitsEachTask) {
  for (const char* groups : {"2", "4"}) {
    FakeGroupingHost host = make_dmtg_host();
    const auto result = find_by_dmtg(host, {{"groups", groups}});
    EXPECT_EQ(host.step_calls, 2 * 50);  // the run's epochs
    EXPECT_EQ(result.partitions.at(0).partition, (sdk::Partition{{0, 2}, {1, 3}}));
    EXPECT_GT(result.affinity[0][2].item<double>(), result.affinity[0][1].item<double>());
    EXPECT_EQ(result.affinity[1][1].item<double>(), 1.0);
    EXPECT_GE(result.partitions.size(), 5U);
  }
}

TEST(DmtgGrouping, WeighsEachLossByItsSample) {
  FakeGroupingHost host = make_dmtg_host();
  std::vector<double> losses;
  host.on_branch_step = [&](const at::Tensor& loss, const std::vector<at::Tensor>& own,
                            double learning_rate) {
    losses.push_back(loss.item<double>());
    ASSERT_EQ(own.size(), 1U);
    EXPECT_TRUE(at::equal(own[0].detach(), at::ones({4, 3})));  // as published
    EXPECT_EQ(learning_rate, 0.05);
  };
  (void)find_by_dmtg(host, {{"groups", "3"}, {"temperature", "1e3"}, {"epochs", "1"}});
  // Hot, the weights are even: (1 + 2 + 2) / 3 a task.
  ASSERT_EQ(losses.size(), 50U);
  for (const double loss : losses)
    EXPECT_NEAR(loss, 4 * 5.0 / 3.0, 0.05);
  losses.clear();
  (void)find_by_dmtg(host, {{"groups", "3"}, {"temperature", "1e3"}, {"entropy-weight", "10"}});
  const double binary = -std::log(1.0 / 3.0) / 3.0 - 2.0 * std::log(2.0 / 3.0) / 3.0;
  EXPECT_NEAR(losses.front(), 4 * 5.0 / 3.0 + 10.0 * 3.0 * binary, 0.05);
}

TEST(DmtgGrouping, NamesTheTaskWhoseLossIsNotFinite) {
  FakeGroupingHost host = make_dmtg_host();
  host.losses_of_branches = [](std::int64_t step, std::int64_t branches) {
    at::Tensor losses = at::ones({4, branches});
    if (step == 3) losses[2][1] = std::numeric_limits<float>::infinity();
    return losses;
  };
  EXPECT_EQ(error_of(sdk::ErrorKind::numeric, [&] { (void)find_by_dmtg(host); }),
            "grouping 'dmtg': the loss of task 'c' is not finite at warm-up step 4");
}

}  // namespace
}  // namespace petlab::tests
