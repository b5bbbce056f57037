#include "petlab/engine/training_step.hpp"

#include "tiny_bench.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace petlab::engine {
namespace {

using testing::Bench;
using Pieces = std::vector<std::vector<std::size_t>>;

constexpr std::int64_t kAnySize = std::numeric_limits<std::int64_t>::max();

const Step kStep = {{0, {0, 1, 2}}, {1, {0, 1}}, {2, {2, 1, 0}}};

/// A step of three tasks in pieces of at most so many values.
struct StepInPieces {
  explicit StepInPieces(Bench& of) : bench(of) {}

  [[nodiscard]] StepContext context(std::int64_t piece_values) {
    return {bench.backbone, bench.images, training, c10::kCPU, noise, piece_values};
  }

  [[nodiscard]] std::vector<at::Tensor> gradients(std::int64_t piece_values) {
    for (at::Tensor parameter : bench.adapters.trainable())
      parameter.mutable_grad().reset();
    losses = backward_step(context(piece_values), kStep, /*epoch=*/0);
    std::vector<at::Tensor> result;
    for (const at::Tensor& parameter : bench.adapters.trainable())
      result.push_back(parameter.grad().clone());
    return result;
  }

  Bench& bench;
  Training training;
  at::Generator noise = at::make_generator<at::CPUGeneratorImpl>(1);
  std::vector<at::Tensor> losses;
};

TEST(TrainingStep, TasksThatShareAnAdapterStayTogether) {
  const auto pieces = [](const sdk::MethodEntry& method, Sharing sharing, std::int64_t values) {
    Bench bench(method, sharing, {{0, 2}, {1}});
    return step_pieces(StepInPieces(bench).context(values), kStep);
  };
  const Pieces each = {{0}, {1}, {2}};
  const Pieces groups = {{1}, {0, 2}};
  const Pieces whole = {{0, 1, 2}};
  EXPECT_EQ(pieces(testing::both_prompts(), Sharing::per_task, 1), each);
  EXPECT_EQ(pieces(testing::both_prompts(), Sharing::grouped, 1), groups);
  EXPECT_EQ(pieces(testing::both_prompts(), Sharing::grouped_specific, 1), groups);
  EXPECT_EQ(pieces(testing::both_prompts(), Sharing::joint, 1), whole);
  EXPECT_EQ(pieces(testing::both_prompts(), Sharing::joint_specific, 1), whole);
  EXPECT_EQ(pieces(testing::both_prompts(), Sharing::per_task, kAnySize), whole);
  // 3 + 2 images of 5 tokens, 16 wide, but not 3 more.
  EXPECT_EQ(pieces(testing::both_prompts(), Sharing::per_task, 400), (Pieces{{0, 1}, {2}}));
  // Nothing of the image tower is kept for a backward pass: texts alone are one batch.
  EXPECT_EQ(pieces(testing::text_prompts(), Sharing::per_task, 1), whole);
}

TEST(TrainingStep, PiecesHaveTheGradientsOfTheWholeStep) {
  for (const auto* method :
       {&testing::both_prompts(), &testing::image_prompts(), &testing::whole_copy()}) {
    for (const Sharing sharing : {Sharing::per_task, Sharing::grouped}) {
      for (const TaskLoss how : {TaskLoss::sum, TaskLoss::mean}) {
        Bench bench(*method, sharing, {{0, 2}, {1}});
        StepInPieces step(bench);
        step.training.task_loss = how;
        const auto whole = step.gradients(kAnySize);
        const std::vector<at::Tensor> losses = step.losses;
        const auto pieces = step.gradients(1);
        ASSERT_EQ(step.losses.size(), 3U);
        for (std::size_t t = 0; t < 3; ++t) {
          EXPECT_NEAR(step.losses[t].item<double>(), losses[t].item<double>(), 1e-5);
          EXPECT_FALSE(step.losses[t].requires_grad());
        }
        double scale = 0.0;
        for (const at::Tensor& g : whole)
          scale = std::max(scale, g.abs().max().item<double>());
        EXPECT_GT(scale, 0.0);
        for (std::size_t p = 0; p < whole.size(); ++p) {
          EXPECT_TRUE(at::allclose(pieces[p], whole[p], 1e-4, 1e-6 * scale))
              << method->name << " " << to_string(sharing) << " parameter " << p;
        }
      }
    }
  }
}

// Tasks 0 and 2 share an adapter: 1 + 3 images; task 1 has 2.
TEST(TrainingStep, AUnionCountsItsImagesAlike) {
  const Step uneven = {{0, {0}}, {1, {0, 1}}, {2, {2, 1, 0}}};
  for (const TaskLoss how : {TaskLoss::sum, TaskLoss::mean}) {
    Bench bench(testing::both_prompts(), Sharing::grouped, {{0, 2}, {1}});
    StepInPieces step(bench);
    step.training.task_loss = how;
    EXPECT_TRUE(batch_shares(step.context(kAnySize), uneven).empty());
    step.training.sampler = Sampler::union_of_tasks;
    const double unions = how == TaskLoss::mean ? 2.0 : 1.0;
    EXPECT_EQ(batch_shares(step.context(kAnySize), uneven),
              (std::vector<double>{1.0 / (4 * unions), 2.0 / (2 * unions), 3.0 / (4 * unions)}));
  }
}

// With one union, the gradient is that of the mean over all images of the step.
TEST(TrainingStep, AUnionsGradientIsThatOfItsMeanLoss) {
  for (const std::int64_t piece_values : {kAnySize, std::int64_t{1}}) {
    Bench bench(testing::both_prompts(), Sharing::joint);
    StepInPieces step(bench);
    step.training.sampler = Sampler::union_of_tasks;
    const auto mixed = step.gradients(piece_values);
    // kStep has 3, 2 and 3 images.
    step.training.sampler = Sampler::tasks;
    std::vector<at::Tensor> expected(mixed.size());
    const std::vector<double> shares = {3.0 / 8, 2.0 / 8, 3.0 / 8};
    for (std::size_t t = 0; t < 3; ++t) {
      for (at::Tensor parameter : bench.adapters.trainable())
        parameter.mutable_grad().reset();
      (void)backward_step(step.context(piece_values), {kStep[t]}, /*epoch=*/0);
      for (std::size_t p = 0; p < mixed.size(); ++p) {
        const at::Tensor part = bench.adapters.trainable()[p].grad() * shares[t];
        expected[p] = expected[p].defined() ? expected[p] + part : part;
      }
    }
    for (std::size_t p = 0; p < mixed.size(); ++p)
      EXPECT_TRUE(at::allclose(mixed[p], expected[p], 1e-4, 1e-7)) << p;
  }
}

}  // namespace
}  // namespace petlab::engine
