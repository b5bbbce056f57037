#include "petlab/engine/adapted_backbone.hpp"

#include "petlab/engine/augmentation.hpp"
#include "petlab/engine/train_images.hpp"
#include "tiny_bench.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace petlab::engine {
namespace {

using testing::Bench;

struct MethodSharing {
  const sdk::MethodEntry& (*method)();
  Sharing sharing;
};

const std::vector<MethodSharing> kCases = {
    {testing::both_prompts, Sharing::per_task},  {testing::both_prompts, Sharing::joint},
    {testing::both_prompts, Sharing::grouped},   {testing::both_prompts, Sharing::grouped_specific},
    {testing::text_prompts, Sharing::per_task},  {testing::text_prompts, Sharing::joint_specific},
    {testing::image_prompts, Sharing::per_task}, {testing::whole_copy, Sharing::per_task},
    {testing::whole_copy, Sharing::joint},       {testing::nothing, Sharing::joint}};

TEST(AdaptedBackbone, OneMixedBatchIsALoopOverTheTasks) {
  for (const MethodSharing& c : kCases) {
    Bench bench(c.method(), c.sharing, {{0, 2}, {1}});
    const std::vector<TaskImages> inputs = {bench.batch(0), bench.batch(1), bench.batch(2)};
    const auto mixed = bench.backbone.logits(bench.backbone.prepare({0, 1, 2}), inputs);
    for (std::size_t t = 0; t < 3; ++t) {
      const auto alone = bench.backbone.logits(
          bench.backbone.prepare({static_cast<std::int64_t>(t)}), {inputs[t]});
      EXPECT_EQ(mixed[t].size(1), static_cast<std::int64_t>(bench.inputs.tasks[t].classes.size()));
      EXPECT_TRUE(at::allclose(mixed[t], alone[0], 1e-5, 1e-5))
          << c.method().name << " " << to_string(c.sharing) << " task " << t;
    }
    const std::vector<at::Tensor> parameters = bench.adapters.trainable();
    if (parameters.empty()) continue;
    // Gradients too: of the sum, and summed over the tasks.
    (mixed[0].square().sum() + mixed[1].square().sum() + mixed[2].square().sum()).backward();
    std::vector<at::Tensor> together;
    for (at::Tensor p : parameters) {
      together.push_back(p.grad().clone());
      p.mutable_grad().reset();
    }
    for (std::int64_t t = 0; t < 3; ++t) {
      bench.backbone.logits(bench.backbone.prepare({t}), {inputs[static_cast<std::size_t>(t)]})[0]
          .square()
          .sum()
          .backward();
    }
    // Against the largest of all: some, as those of the keys' biases, are zero but for rounding.
    double scale = 0.0;
    for (const at::Tensor& g : together)
      scale = std::max(scale, g.abs().max().item<double>());
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      const at::Tensor apart = parameters[p].grad();
      EXPECT_TRUE(at::allclose(together[p], apart, 1e-3, 1e-5 * scale))
          << c.method().name << " " << to_string(c.sharing) << " parameter " << p;
    }
  }
}

TEST(AdaptedBackbone, AdaptersOfAbsentTasksGetNoGradient) {
  Bench bench(testing::both_prompts(), Sharing::grouped_specific, {{0, 2}, {1}});
  bench.backbone.logits(bench.backbone.prepare({0, 2}), {bench.batch(0), bench.batch(2)})[0]
      .sum()
      .backward();
  const auto has_gradient = [&](std::size_t owner) {
    return bench.adapters.parameters[owner][0].value.grad().defined();
  };
  EXPECT_TRUE(has_gradient(0));   // group line+emoji
  EXPECT_FALSE(has_gradient(1));  // group flat
  EXPECT_TRUE(has_gradient(2));   // line
  EXPECT_FALSE(has_gradient(3));  // flat
}

TEST(AdaptedBackbone, KnowsWhichTowersAreTouched) {
  EXPECT_TRUE(Bench(testing::whole_copy(), Sharing::joint).backbone.modifies_vision());
  EXPECT_TRUE(Bench(testing::whole_copy(), Sharing::joint).backbone.modifies_text());
  EXPECT_FALSE(Bench(testing::text_prompts(), Sharing::joint).backbone.modifies_vision());
  EXPECT_FALSE(Bench(testing::image_prompts(), Sharing::joint).backbone.modifies_text());
  EXPECT_FALSE(Bench(testing::nothing(), Sharing::joint).backbone.modifies_vision());
}

TEST(TrainImages, KeptFeaturesGiveTheSameLogitsAsPixels) {
  for (const auto augmentation : {Augmentation::none, Augmentation::flip}) {
    Bench bench(testing::text_prompts(), Sharing::per_task);
    TrainImages images(*bench.inputs.backbone, bench.inputs.tasks, augmentation, 1,
                       Precision::fp32);
    for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
      for (std::int64_t task = 0; task < 3; ++task) {
        const TaskBatch batch{task, {2, 0, 1}};
        const TaskImages kept = images.images(batch, epoch, /*frozen_layers=*/2);
        const TaskImages pixels = images.images(batch, epoch, /*frozen_layers=*/0);
        EXPECT_TRUE(kept.features.defined());
        EXPECT_TRUE(pixels.pixels.defined());
        const auto prepared = bench.backbone.prepare({task});
        EXPECT_TRUE(at::allclose(bench.backbone.logits(prepared, {kept})[0],
                                 bench.backbone.logits(prepared, {pixels})[0], 1e-5, 1e-5));
      }
    }
    EXPECT_EQ(images.images_encoded(), (7 + 4 + 3) * view_count(augmentation));
  }
}

TEST(TrainImages, NeverKeepsFeaturesOfRandomCrops) {
  Bench bench(testing::text_prompts(), Sharing::joint);
  TrainImages images(*bench.inputs.backbone, bench.inputs.tasks, Augmentation::crop_flip, 1,
                     Precision::fp32);
  const TaskBatch batch{0, {0, 1}};
  const TaskImages first = images.images(batch, 0, 2);
  EXPECT_FALSE(first.features.defined());
  EXPECT_TRUE(at::equal(first.pixels, images.images(batch, 0, 2).pixels));
  EXPECT_FALSE(at::equal(first.pixels, images.images(batch, 1, 2).pixels));
}

}  // namespace
}  // namespace petlab::engine
