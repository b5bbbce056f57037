#include "petlab/engine/flop_counter.hpp"
#include "petlab/engine/sampler.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

// What a run costs, against sums done by hand.
namespace petlab::engine {
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
/// are needed at all positions, everything else at the pooled one. Positions also attend to
/// `prompts` that each block has of its own, whose keys and values are not counted here.
TowerFlops blocks(const sdk::TowerShape& tower, std::int64_t length, std::int64_t prompts = 0) {
  const std::int64_t w = tower.width;
  const auto layer = [&](std::int64_t queries) {
    const double qkv = product(queries, w, w) + product(length, w, 2 * w);
    const double out = product(queries, w, w);
    const double mlp = product(queries, w, tower.mlp_width) * 2;
    return TowerFlops{qkv + out + mlp, 2 * product(queries, w, length + prompts)};
  };
  const TowerFlops full = layer(length);
  const TowerFlops last = layer(1);
  const auto n = static_cast<double>(tower.layers - 1);
  return {n * full.maps + last.maps, n * full.attention + last.attention};
}

/// Keys and values of prompts that each block has of its own: once a batch.
double keys_of_prompts(const sdk::TowerShape& tower, std::int64_t prompts) {
  return static_cast<double>(tower.layers) * product(prompts, tower.width, 2 * tower.width);
}

/// Forward, of one image: patches as rows of a product, blocks over them and the class token.
double image_tower(const sdk::BackboneShape& shape, std::int64_t prompts = 0) {
  const std::int64_t grid = shape.image_size / shape.patch_size;
  const std::int64_t patches = grid * grid;
  const TowerFlops in = blocks(shape.vision, 1 + patches, prompts);
  return product(patches, 3 * shape.patch_size * shape.patch_size, shape.vision.width) + in.maps +
         in.attention + product(1, shape.vision.width, shape.embed_dim);
}

/// Backward through frozen weights from the first block on: a gradient for each map's input, and
/// the five products of the attention for its two.
double backward_of_blocks(const TowerFlops& blocks) {
  return blocks.maps + 2.5 * blocks.attention;
}

/// What the texts of some classes are for the text tower: rows of the tokens that all begin with,
/// once, and of each text those behind them up to its end token.
struct TextRows {
  std::int64_t common = 0;
  std::int64_t prompts = 0;       // behind the start token, once, replaced at every layer
  std::vector<std::int64_t> own;  // of each text

  TextRows(const clip::Backbone& backbone, const std::vector<std::string>& texts,
           std::int64_t n_prompt = 0)
      : prompts(n_prompt) {
    const clip::TokenBatch tokens =
        backbone.tokenizer().encode_batch(texts, backbone.shape().context_length);
    common = tokens.eot.min().item<std::int64_t>();
    for (std::int64_t i = 0; i < common; ++i)
      if (!tokens.ids.select(1, i).eq(tokens.ids[0][i]).all().item<bool>()) common = i;
    for (std::size_t t = 0; t < texts.size(); ++t)
      own.push_back(tokens.eot[static_cast<std::int64_t>(t)].item<std::int64_t>() + 1 - common);
  }

  [[nodiscard]] std::int64_t texts() const { return static_cast<std::int64_t>(own.size()); }
  [[nodiscard]] std::int64_t rows() const {  // without prompts
    std::int64_t sum = common;
    for (const std::int64_t n : own)
      sum += n;
    return sum;
  }
};

/// Texts in the text tower: rows() go through all blocks but the last, of which only the end tokens
/// do; prompts are keys and values (and queries, for nothing) of each block.
struct TextFlops {
  double maps = 0.0;
  double first_qkv = 0.0;  // of `maps`, that of the first block
  double attention = 0.0;
  double projection = 0.0;

  TextFlops(const sdk::BackboneShape& shape, const TextRows& texts) {
    const sdk::TowerShape& tower = shape.text;
    const std::int64_t w = tower.width;
    const std::int64_t all = texts.rows() + texts.prompts;
    const auto rest = [&](std::int64_t rows) {
      return product(rows, w, w) + 2 * product(rows, w, tower.mlp_width);
    };
    std::int64_t pairs = 1;  // the start token sees itself
    std::int64_t pairs_of_ends = 0;
    const std::int64_t before = texts.common + texts.prompts;
    for (std::int64_t place = texts.prompts + 1; place < before; ++place)
      pairs += place + 1;
    for (const std::int64_t n : texts.own) {
      for (std::int64_t i = 1; i <= n; ++i)
        pairs += before + i;
      pairs_of_ends += before + n;
    }
    const auto n = static_cast<double>(tower.layers - 1);
    first_qkv = product(all, w, 3 * w);
    maps = n * (first_qkv + rest(texts.rows())) + product(all, w, 2 * w) +
           product(texts.texts(), w, w) + rest(texts.texts());
    attention = 2 * (n * product(pairs, w, 1) + product(pairs_of_ends, w, 1));
    projection = product(texts.texts(), w, shape.embed_dim);
  }
  [[nodiscard]] double forward() const { return maps + attention + projection; }
};

std::vector<std::string> texts_of(const Task& task) {
  std::vector<std::string> texts;
  for (const std::string& name : task.classes)
    texts.push_back("a photo of a " + name + ".");
  return texts;
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

  const std::vector<std::string> texts{"a photo of a red cup.", "a photo of a bed."};
  const clip::TokenBatch tokens = backbone->tokenizer().encode_batch(texts, 77);
  {
    const FlopScope scope(flops);
    (void)backbone->encode_text(tokens);
  }
  const TextRows rows(*backbone, texts);
  EXPECT_EQ(rows.common, 5);  // start, a, photo, of, a
  EXPECT_EQ(flops, TextFlops(config.shape, rows).forward());
}

TEST(StepFlops, OfDeepImagePromptsAreASumByHand) {
  const RunInputs inputs = tiny_inputs(testing::image_prompts());
  const RunSpec spec = tiny_spec("image", Sharing::joint);
  const auto record = run_well(spec, inputs);
  const sdk::BackboneShape& shape = inputs.backbone->shape();
  const std::int64_t positions = 1 + 4;
  const std::int64_t width = shape.vision.width;
  const double projection = product(1, shape.vision.width, shape.embed_dim);
  const std::vector<std::int64_t> images = first_step(spec, inputs);
  // Prompts stand before the first block: all blocks are walked back, the patches are not, nor
  // their queries, keys and values in the first. Class features are those of the frozen text tower:
  // made once a run, and no part of a step.
  const double forward = image_tower(shape, kPrompts);
  const double keys = keys_of_prompts(shape.vision, kPrompts);
  const double backward = backward_of_blocks(blocks(shape.vision, positions, kPrompts)) -
                          product(positions, width, 3 * width) + projection;
  ASSERT_TRUE(record.step_flops.has_value());
  EXPECT_EQ(*record.step_flops,
            total(images) * (forward + backward) + 2 * keys + 2 * scores(images, inputs));
  ASSERT_TRUE(record.image_flops.has_value());
  // Measured on the first batch: the 6 test images of the first task.
  EXPECT_DOUBLE_EQ(*record.image_flops, forward + keys / 6 + scores({1, 0, 0}, inputs));
}

TEST(StepFlops, OfTextPromptsLeaveTheKeptImageFeaturesOut) {
  const RunInputs inputs = tiny_inputs(testing::text_prompts());
  const RunSpec spec = tiny_spec("text", Sharing::joint);
  const auto record = run_well(spec, inputs);
  const sdk::BackboneShape& shape = inputs.backbone->shape();
  const std::vector<std::int64_t> images = first_step(spec, inputs);
  // Two tasks have the same classes: their texts are encoded once.
  std::vector<std::string> texts = texts_of(inputs.tasks[0]);
  if (images[2] > 0)
    for (const std::string& text : texts_of(inputs.tasks[2]))
      texts.push_back(text);
  const TextFlops text(shape, TextRows(*inputs.backbone, texts, kPrompts));
  // Backward, one product for each map, but in the first block for the prompts alone: nothing else
  // before it is trained.
  const std::int64_t w = shape.text.width;
  const double backward = text.maps - text.first_qkv + product(kPrompts, w, 3 * w) +
                          2.5 * text.attention + text.projection;
  ASSERT_TRUE(record.step_flops.has_value());
  EXPECT_EQ(*record.step_flops, text.forward() + backward + 2 * scores(images, inputs));
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
  const TextFlops texts(shape, TextRows(*inputs.backbone, texts_of(inputs.tasks[0])));
  const double image_attention = blocks(shape.vision, 5).attention;
  const double pixels = product(4, 3 * 8 * 8, shape.vision.width);
  const double image = 3 * image_tower(shape) + 0.5 * image_attention - pixels;
  const double text = 3 * texts.forward() + 0.5 * texts.attention;
  ASSERT_TRUE(record.step_flops.has_value());
  EXPECT_EQ(*record.step_flops, total(images) * image + text + 3 * scores(images, inputs));
}

TEST(StepFlops, DependOnTheWorkAloneNotOnPrecisionOrLengthOfTheRun) {
  const RunInputs inputs = tiny_inputs(testing::both_prompts());
  RunSpec spec = tiny_spec("both", Sharing::joint_specific, 1);
  const auto record = run_well(spec, inputs);
  spec.training.precision = Precision::bf16;
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
}  // namespace petlab::engine
