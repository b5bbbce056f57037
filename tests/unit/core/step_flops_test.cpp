#include "petlab/core/flop_counter.hpp"
#include "petlab/core/sampler.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

// What a run costs, against sums done by hand.
namespace petlab::core {
namespace {

using testing::run_well;
using testing::tiny_inputs;
using testing::tiny_spec;

double product(std::int64_t m, std::int64_t k, std::int64_t n) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(k) * static_cast<double>(n);
}

struct TowerFlops {
  double maps = 0.0;       // products with weights
  double attention = 0.0;  // both products of the attention
};

/// Blocks of a tower for one sequence of `length` positions. Of the last block the keys and values
/// are needed at all positions, everything else at the pooled one.
TowerFlops blocks(const sdk::TowerShape& tower, std::int64_t length) {
  const std::int64_t w = tower.width;
  const auto layer = [&](std::int64_t queries) {
    const double qkv = product(queries, w, w) + product(length, w, 2 * w);
    const double out = product(queries, w, w);
    const double mlp = product(queries, w, tower.mlp_width) * 2;
    return TowerFlops{qkv + out + mlp, 2 * product(queries, w, length)};
  };
  const TowerFlops full = layer(length);
  const TowerFlops last = layer(1);
  const auto n = static_cast<double>(tower.layers - 1);
  return {n * full.maps + last.maps, n * full.attention + last.attention};
}

/// Forward, of one image: patches as rows of a product, blocks over them and the class token.
double image_tower(const sdk::BackboneShape& shape, std::int64_t prompts = 0) {
  const std::int64_t grid = shape.image_size / shape.patch_size;
  const std::int64_t patches = grid * grid;
  const TowerFlops in = blocks(shape.vision, 1 + patches + prompts);
  return product(patches, 3 * shape.patch_size * shape.patch_size, shape.vision.width) + in.maps +
         in.attention + product(1, shape.vision.width, shape.embed_dim);
}

/// Forward, of one text.
double text_tower(const sdk::BackboneShape& shape, std::int64_t length) {
  const TowerFlops in = blocks(shape.text, length);
  return in.maps + in.attention + product(1, shape.text.width, shape.embed_dim);
}

/// Backward through frozen weights from the first block on: a gradient for each map's input, and
/// the five products of the attention for its two.
double backward_of_blocks(const TowerFlops& blocks) {
  return blocks.maps + 2.5 * blocks.attention;
}

std::int64_t text_length(const RunInputs& inputs) {
  std::vector<std::string> texts;
  for (const Task& task : inputs.tasks)
    for (const std::string& name : task.classes)
      texts.push_back("a photo of a " + name + ".");
  const clip::Backbone& backbone = *inputs.backbone;
  return backbone.tokenizer().encode_batch(texts, backbone.shape().context_length).ids.size(1);
}

/// Images of each task in the first step of a run.
std::vector<std::int64_t> first_step(const RunSpec& spec, const RunInputs& inputs) {
  std::vector<SampledTask> sampled;
  for (const Task& task : inputs.tasks)
    sampled.push_back({task.name, task.train.size()});
  std::vector<std::int64_t> images(inputs.tasks.size());
  const std::vector<Step> steps = epoch_steps(sampled, spec.training.batch, spec.seed, 0);
  for (const TaskBatch& batch : steps.front())
    images[static_cast<std::size_t>(batch.task)] =
        static_cast<std::int64_t>(batch.positions.size());
  return images;
}

/// Class scores of the images of each task.
double scores(const std::vector<std::int64_t>& images, const RunInputs& inputs) {
  double sum = 0.0;
  for (std::size_t t = 0; t < images.size(); ++t)
    sum += product(images[t], inputs.backbone->shape().embed_dim,
                   static_cast<std::int64_t>(inputs.tasks[t].classes.size()));
  return sum;
}

double total(const std::vector<std::int64_t>& images) {
  double sum = 0.0;
  for (const std::int64_t n : images)
    sum += static_cast<double>(n);
  return sum;
}

constexpr std::int64_t kPrompts = 2;  // of testing::image_prompts() and text_prompts()

TEST(StepFlops, OfVitB16AreTheClosedForms) {
  clip::Tokenizer tokenizer = testing::tiny_tokenizer();
  clip::Config config = testing::tiny_backbone()->config();
  config.shape.vision = {.layers = 12, .width = 768, .heads = 12, .mlp_width = 3072};
  config.shape.text = {.layers = 12, .width = 512, .heads = 8, .mlp_width = 2048};
  config.shape.embed_dim = 512;
  config.shape.image_size = 224;
  config.shape.patch_size = 16;
  config.shape.context_length = 77;
  at::Generator generator = at::detail::createCPUGenerator(1);
  const auto backbone =
      clip::Backbone::random(config, std::move(tokenizer), {.image_size = 224}, generator);

  const c10::InferenceMode inference;
  double flops = 0.0;
  {
    const FlopScope scope(flops);
    (void)backbone->encode_image(at::zeros({1, 3, 224, 224}));
  }
  EXPECT_EQ(flops, image_tower(config.shape));
  // The same in numbers: 196 patches, 197 positions, 11 whole blocks and one of the class token.
  const double patches = 2.0 * 196 * 768 * 768;
  const double block = 24.0 * 197 * 768 * 768 + 4.0 * 197 * 197 * 768;
  const double last = (4.0 * 197 + 20.0) * 768 * 768 + 4.0 * 197 * 768;
  EXPECT_EQ(flops, patches + 11 * block + last + 2.0 * 768 * 512);

  const clip::TokenBatch tokens =
      backbone->tokenizer().encode_batch(std::vector<std::string>{"a photo of a red cup."}, 77);
  {
    const FlopScope scope(flops);
    (void)backbone->encode_text(tokens);
  }
  EXPECT_EQ(flops, text_tower(config.shape, tokens.ids.size(1)));
}

TEST(StepFlops, OfDeepImagePromptsAreASumByHand) {
  const RunInputs inputs = tiny_inputs(testing::image_prompts());
  const RunSpec spec = tiny_spec("image", Sharing::joint);
  const auto record = run_well(spec, inputs);
  const sdk::BackboneShape& shape = inputs.backbone->shape();
  const std::int64_t positions = 1 + 4 + kPrompts;
  const double projection = product(1, shape.vision.width, shape.embed_dim);
  const std::vector<std::int64_t> images = first_step(spec, inputs);
  // Prompts stand before the first block: all blocks are walked back, the patches are not. Class
  // features are those of the frozen text tower: made once a run, and no part of a step.
  const double forward = image_tower(shape, kPrompts);
  const double backward = backward_of_blocks(blocks(shape.vision, positions)) + projection;
  ASSERT_TRUE(record.step_flops.has_value());
  EXPECT_EQ(*record.step_flops, total(images) * (forward + backward) + 2 * scores(images, inputs));
  ASSERT_TRUE(record.image_flops.has_value());
  EXPECT_EQ(*record.image_flops, forward + scores({1, 0, 0}, inputs));
}

TEST(StepFlops, OfTextPromptsLeaveTheKeptImageFeaturesOut) {
  const RunInputs inputs = tiny_inputs(testing::text_prompts());
  const RunSpec spec = tiny_spec("text", Sharing::joint);
  const auto record = run_well(spec, inputs);
  const sdk::BackboneShape& shape = inputs.backbone->shape();
  const std::int64_t positions = text_length(inputs) + kPrompts;
  const std::vector<std::int64_t> images = first_step(spec, inputs);
  // Two tasks have the same classes: their texts are encoded once.
  const auto n_texts = static_cast<double>(images[2] > 0 ? inputs.tasks[0].classes.size() +
                                                               inputs.tasks[2].classes.size()
                                                         : inputs.tasks[0].classes.size());
  const double forward = text_tower(shape, positions);
  const double backward = backward_of_blocks(blocks(shape.text, positions)) +
                          product(1, shape.text.width, shape.embed_dim);
  ASSERT_TRUE(record.step_flops.has_value());
  EXPECT_EQ(*record.step_flops, n_texts * (forward + backward) + 2 * scores(images, inputs));
  ASSERT_TRUE(record.image_flops.has_value());
  EXPECT_EQ(*record.image_flops, image_tower(shape) + scores({1, 0, 0}, inputs));
}

TEST(StepFlops, OfAWholeCopyAreThreeForwardsWithAttentionTwiceAndAHalf) {
  RunInputs inputs = tiny_inputs(testing::whole_copy());
  inputs.tasks.erase(inputs.tasks.begin() + 1, inputs.tasks.end());
  inputs.load_test = [only = inputs.load_test().front()] {
    return std::vector<LabelledImages>{only};
  };
  const RunSpec spec = tiny_spec("copy", Sharing::joint);
  const auto record = run_well(spec, inputs);
  const sdk::BackboneShape& shape = inputs.backbone->shape();
  const std::vector<std::int64_t> images = first_step(spec, inputs);
  const auto n_texts = static_cast<double>(inputs.tasks[0].classes.size());
  const double image_attention = blocks(shape.vision, 5).attention;
  const double text_attention = blocks(shape.text, text_length(inputs)).attention;
  const double pixels = product(4, 3 * 8 * 8, shape.vision.width);
  const double image = 3 * image_tower(shape) + 0.5 * image_attention - pixels;
  const double text = 3 * text_tower(shape, text_length(inputs)) + 0.5 * text_attention;
  ASSERT_TRUE(record.step_flops.has_value());
  EXPECT_EQ(*record.step_flops,
            total(images) * image + n_texts * text + 3 * scores(images, inputs));
}

TEST(StepFlops, DependOnTheWorkAloneNotOnPrecisionOrLengthOfTheRun) {
  const RunInputs inputs = tiny_inputs(testing::both_prompts());
  RunSpec spec = tiny_spec("both", Sharing::joint_specific, 1);
  const auto record = run_well(spec, inputs);
  spec.training.precision = "bf16";
  spec.training.epochs = 3;
  const auto reduced = run_well(spec, inputs);
  EXPECT_EQ(record.step_flops, reduced.step_flops);
  EXPECT_EQ(record.image_flops, reduced.image_flops);
}

TEST(StepFlops, OfZeroShotAreThoseOfAnImageAlone) {
  const RunInputs inputs = tiny_inputs(testing::nothing());
  const auto record = run_well(tiny_spec("nothing", Sharing::joint), inputs);
  EXPECT_FALSE(record.step_flops.has_value());
  ASSERT_TRUE(record.image_flops.has_value());
  EXPECT_EQ(*record.image_flops, image_tower(inputs.backbone->shape()) + scores({1, 0, 0}, inputs));
}

TEST(StepFlops, EpochsSayTheirStepsAndImages) {
  const auto grouped = run_well(tiny_spec("both", Sharing::grouped, 2),
                                tiny_inputs(testing::both_prompts(), &testing::by_gradients()));
  ASSERT_EQ(grouped.epochs.size(), 3U);
  // Warm-up: one batch of every task at each of the 4 steps; of 4 and 3 images, again from the top.
  EXPECT_EQ(grouped.epochs[0].phase, "warm-up");
  EXPECT_EQ(grouped.epochs[0].steps, 4);
  EXPECT_EQ(grouped.epochs[0].images, 7 + 2 * 4 + 2 * 3);
  for (std::size_t epoch = 1; epoch < 3; ++epoch) {
    EXPECT_EQ(grouped.epochs[epoch].phase, "train");
    EXPECT_EQ(grouped.epochs[epoch].steps, 4);
    EXPECT_EQ(grouped.epochs[epoch].images, 7 + 4 + 3);
  }
}

}  // namespace
}  // namespace petlab::core
