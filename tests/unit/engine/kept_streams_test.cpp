#include "petlab/engine/training_step.hpp"
#include "tiny_bench.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

// What the untouched lower blocks of the image tower make of training images is computed once.
namespace petlab::engine {
namespace {

using testing::Bench;

/// Prompts and a low-rank change at the last image layer of two.
class Upper final : public sdk::Method {
 public:
  [[nodiscard]] std::string text_template() const override { return "a photo of a {}."; }
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override {
    auto adapter = std::make_unique<Last>();
    const sdk::TowerShape& tower = context.backbone().shape().vision;
    adapter->layer = tower.layers - 1;
    const auto draw = [&](at::IntArrayRef shape) {
      return at::normal(0.0, 0.5, shape, context.generator(), at::TensorOptions(at::kFloat))
          .requires_grad_();
    };
    adapter->tokens = draw({2, tower.width});
    adapter->down = draw({2, tower.width});
    adapter->up = draw({tower.width, 2});
    return adapter;
  }

 private:
  struct Last final : sdk::Adapter {
    [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override {
      return {{"tokens", tokens}, {"down", down}, {"up", up}};
    }
    [[nodiscard]] sdk::BackboneChanges changes(
        const sdk::ChangeRequest& /*request*/) const override {
      sdk::BackboneChanges changes;
      changes.vision.prompts.push_back({layer, tokens});
      sdk::LowRank low_rank;
      low_rank.layer = layer;
      low_rank.map = sdk::LinearMap::v;
      low_rank.down = down;
      low_rank.up = up;
      changes.vision.low_ranks.push_back(low_rank);
      return changes;
    }
    std::int64_t layer = 0;
    at::Tensor tokens, down, up;
  };
};

const sdk::MethodEntry& upper() {
  static constexpr sdk::MethodEntry kUpper{
      .name = "upper", .composable = true, .make = [](const sdk::Options&) {
        return std::unique_ptr<sdk::Method>(std::make_unique<Upper>());
      }};
  return kUpper;
}

TEST(KeptStreams, OfTheLayersThatNoAdapterTouches) {
  const auto untouched = [](const sdk::MethodEntry& method) {
    return Bench(method, Sharing::joint).backbone.untouched_vision_layers();
  };
  EXPECT_EQ(untouched(upper()), 1);
  EXPECT_EQ(untouched(testing::image_prompts()), 0);
  EXPECT_EQ(untouched(testing::whole_copy()), 0);
  EXPECT_EQ(untouched(testing::text_prompts()), 2);
  EXPECT_EQ(untouched(testing::nothing()), 2);
}

TEST(KeptStreams, OnlyWhereImagesAreSeenAgain) {
  Bench bench(upper(), Sharing::joint);
  const auto kept = [&](Augmentation augmentation, std::int64_t epochs) {
    return TrainImages(*bench.inputs.backbone, bench.inputs.tasks, augmentation, 1, Precision::fp32)
        .kept_layers(1, epochs);
  };
  EXPECT_EQ(kept(Augmentation::none, 2), 1);
  EXPECT_EQ(kept(Augmentation::none, 1), 0);
  EXPECT_EQ(kept(Augmentation::flip, 3), 1);
  EXPECT_EQ(kept(Augmentation::flip, 2), 0);
  EXPECT_EQ(kept(Augmentation::crop_flip, 100), 0);
}

TEST(KeptStreams, OnlyWithinTheBudget) {
  sdk::BackboneShape shape;
  shape.image_size = 224;
  shape.patch_size = 16;
  shape.vision = {.layers = 12, .width = 768, .heads = 12, .mlp_width = 3072};
  const auto layers_of = [&](std::size_t images) {
    std::vector<Task> tasks(1);
    tasks[0].train.rows.resize(images);
    tasks[0].train.labels.resize(images);
    return kept_vision_layers(shape, tasks, Augmentation::none, 9, /*epochs=*/5);
  };
  EXPECT_EQ(layers_of(3548), 9);  // 605,184 bytes each
  EXPECT_EQ(layers_of(3549), 0);
}

TEST(KeptStreams, GiveTheLogitsOfPixels) {
  for (const auto augmentation : {Augmentation::none, Augmentation::flip}) {
    Bench bench(upper(), Sharing::grouped_specific, {{0, 2}, {1}});
    TrainImages images(*bench.inputs.backbone, bench.inputs.tasks, augmentation, 1,
                       Precision::fp32);
    for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
      std::vector<TaskImages> kept, pixels;
      for (std::int64_t task = 0; task < 3; ++task) {
        const TaskBatch batch{task, {2, 0, 1}};
        kept.push_back(images.images(batch, epoch, /*frozen_layers=*/1));
        pixels.push_back(images.images(batch, epoch, /*frozen_layers=*/0));
        EXPECT_TRUE(kept.back().stream.defined());
        EXPECT_FALSE(kept.back().pixels.defined());
      }
      const auto prepared = bench.backbone.prepare({0, 1, 2});
      const auto found = bench.backbone.logits(prepared, kept);
      const auto expected = bench.backbone.logits(prepared, pixels);
      for (std::size_t task = 0; task < 3; ++task)
        EXPECT_TRUE(at::allclose(found[task], expected[task], 1e-5, 1e-5));
    }
  }
}

TEST(KeptStreams, GiveTheGradientsOfPixels) {
  Bench bench(upper(), Sharing::per_task);
  const auto gradients = [&](std::int64_t epochs, std::vector<at::Tensor>& losses) {
    Training training;
    training.epochs = epochs;  // with one epoch nothing is kept
    at::Generator noise = at::make_generator<at::CPUGeneratorImpl>(1);
    const StepContext context{bench.backbone, bench.images, training, c10::kCPU, noise};
    for (at::Tensor parameter : bench.adapters.trainable())
      parameter.mutable_grad().reset();
    losses = backward_step(context, {{0, {0, 1, 2}}, {1, {0, 1}}, {2, {2, 1, 0}}}, /*epoch=*/0);
    std::vector<at::Tensor> result;
    for (const at::Tensor& parameter : bench.adapters.trainable())
      result.push_back(parameter.grad().clone());
    return result;
  };
  std::vector<at::Tensor> losses_of_pixels, losses_of_streams;
  const auto of_pixels = gradients(1, losses_of_pixels);
  const auto of_streams = gradients(5, losses_of_streams);
  for (std::size_t t = 0; t < 3; ++t)
    EXPECT_TRUE(at::allclose(losses_of_streams[t], losses_of_pixels[t], 1e-5, 1e-6));
  for (std::size_t i = 0; i < of_pixels.size(); ++i) {
    EXPECT_GT(of_pixels[i].abs().max().item<double>(), 0.0);
    EXPECT_TRUE(at::allclose(of_streams[i], of_pixels[i], 1e-4, 1e-6));
  }
}

TEST(KeptStreams, ARunHasTheSameBitsTwice) {
  const RunInputs inputs = testing::tiny_inputs(upper());
  const RunSpec spec = testing::tiny_spec("upper", Sharing::joint);
  const results::RunRecord first = testing::run_well(spec, inputs);
  const results::RunRecord second = testing::run_well(spec, inputs);
  EXPECT_EQ(first.trained_hash, second.trained_hash);
  EXPECT_EQ(first.epochs.back().loss, second.epochs.back().loss);
  EXPECT_NE(first.epochs.front().loss, first.epochs.back().loss);
}

}  // namespace
}  // namespace petlab::engine
