#include "model_fixture.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::clip {
namespace {

using ::testing::HasSubstr;

/// Prompts at some layers, from a seed.
sdk::TowerChanges make_prompts(const std::vector<std::int64_t>& layers, std::int64_t n,
                               std::int64_t width, std::uint64_t seed) {
  sdk::TowerChanges changes;
  for (const std::int64_t layer : layers)
    changes.prompts.push_back(
        {layer, test::random_tensor({n, width}, 100 * seed + static_cast<std::uint64_t>(layer))});
  return changes;
}

class Prompts : public ::testing::Test {
 protected:
  std::shared_ptr<Backbone> backbone_ = test::small_backbone();
  std::vector<std::string> texts_{"a photo of a dog.", "a bed", "a photo of an alarm clock."};
  TokenBatch tokens_ = backbone_->tokenizer().encode_batch(texts_, 20);
  at::Tensor pixels_ = test::random_tensor({4, 3, 16, 16}, 5);
};

TEST_F(Prompts, MixedSetsEqualTheSetsOneByOne) {
  const at::Tensor set_of_image = at::tensor({2, 0, 1, 0}, at::kLong);
  const at::Tensor set_of_text = at::tensor({1, 2, 0}, at::kLong);
  for (const std::vector<std::int64_t>& layers :
       {std::vector<std::int64_t>{0}, std::vector<std::int64_t>{0, 1},
        std::vector<std::int64_t>{1}}) {
    std::vector<sdk::TowerChanges> vision, text;
    for (std::uint64_t set = 0; set < 3; ++set) {
      vision.push_back(make_prompts(layers, 3, 32, set + 1));
      text.push_back(make_prompts(layers, 2, 24, set + 7));
    }
    const at::Tensor images = backbone_->encode_image(
        pixels_, stack_changes({{&vision[0]}, {&vision[1]}, {&vision[2]}}, 3, set_of_image));
    const at::Tensor classes = backbone_->encode_text(
        tokens_, stack_changes({{&text[0]}, {&text[1]}, {&text[2]}}, 2, set_of_text));
    for (std::int64_t i = 0; i < 4; ++i) {
      const auto set = static_cast<std::size_t>(set_of_image[i].item<std::int64_t>());
      const at::Tensor alone =
          backbone_->encode_image(pixels_.narrow(0, i, 1), stack_changes({{&vision[set]}}, 3, {}));
      EXPECT_LE(test::distance(images[i], alone[0]), 1e-6);
    }
    for (std::int64_t i = 0; i < 3; ++i) {
      const auto set = static_cast<std::size_t>(set_of_text[i].item<std::int64_t>());
      const TokenBatch one{tokens_.ids.narrow(0, i, 1), tokens_.eot.narrow(0, i, 1)};
      const at::Tensor alone = backbone_->encode_text(one, stack_changes({{&text[set]}}, 2, {}));
      EXPECT_LE(test::distance(classes[i], alone[0]), 1e-6);
    }
  }
}

TEST_F(Prompts, GradientsOfMixedSetsReachTheirSetOnly) {
  std::vector<sdk::TowerChanges> sets{make_prompts({0, 1}, 2, 32, 1),
                                      make_prompts({0, 1}, 2, 32, 2)};
  for (sdk::TowerChanges& set : sets)
    for (sdk::PromptTokens& prompt : set.prompts)
      prompt.tokens.set_requires_grad(true);
  const at::Tensor images = backbone_->encode_image(
      pixels_, stack_changes({{&sets[0]}, {&sets[1]}}, 3, at::tensor({0, 1, 0, 1}, at::kLong)));
  // A loss of the images of set 0 alone.
  (images[0].sum() + images[2].sum()).backward();
  for (std::size_t layer = 0; layer < 2; ++layer) {
    EXPECT_GT(sets[0].prompts[layer].tokens.grad().abs().sum().item<double>(), 0);
    EXPECT_EQ(sets[1].prompts[layer].tokens.grad().abs().sum().item<double>(), 0);
  }
  for (const sdk::NamedTensor& weight : backbone_->weights()) {
    EXPECT_FALSE(weight.value.requires_grad()) << weight.name;
    EXPECT_FALSE(weight.value.grad().defined()) << weight.name;
  }
}

TEST_F(Prompts, ComposedAdaptersStandInTheirOrder) {
  const sdk::TowerChanges group = make_prompts({0, 1}, 2, 24, 1);
  const sdk::TowerChanges task = make_prompts({0, 1}, 3, 24, 2);
  const TowerBatch batch = stack_changes({{&group, &task}}, 2, {});
  ASSERT_EQ(batch.layers.size(), 2U);
  for (std::size_t layer = 0; layer < 2; ++layer)
    EXPECT_TRUE(at::equal(batch.layers[layer][0],
                          at::cat({group.prompts[layer].tokens, task.prompts[layer].tokens})));
  // The order decides the result in the causal text tower...
  const TowerBatch swapped = stack_changes({{&task, &group}}, 2, {});
  EXPECT_GT(test::distance(backbone_->encode_text(tokens_, batch),
                           backbone_->encode_text(tokens_, swapped)),
            1e-4);
  // ...and not in the image tower.
  const sdk::TowerChanges a = make_prompts({0, 1, 2}, 2, 32, 3);
  const sdk::TowerChanges b = make_prompts({0, 1, 2}, 3, 32, 4);
  EXPECT_LE(test::distance(backbone_->encode_image(pixels_, stack_changes({{&a, &b}}, 3, {})),
                           backbone_->encode_image(pixels_, stack_changes({{&b, &a}}, 3, {}))),
            1e-5);
}

TEST_F(Prompts, AnAdapterWithoutPromptsChangesNothing) {
  const sdk::TowerChanges none;
  const sdk::TowerChanges some = make_prompts({0}, 2, 24, 1);
  EXPECT_TRUE(stack_changes({{&none}}, 2, {}).layers.empty());
  EXPECT_TRUE(at::equal(backbone_->encode_text(tokens_, stack_changes({{&none}, {&none}}, 2, {})),
                        backbone_->encode_text(tokens_)));
  EXPECT_TRUE(at::equal(backbone_->encode_text(tokens_, stack_changes({{&none, &some}}, 2, {})),
                        backbone_->encode_text(tokens_, stack_changes({{&some}}, 2, {}))));
}

TEST_F(Prompts, ThoseOfTheLastLayerAreUsed) {
  const sdk::TowerChanges text = make_prompts({1}, 2, 24, 1);
  const sdk::TowerChanges vision = make_prompts({2}, 2, 32, 1);
  EXPECT_GT(test::distance(backbone_->encode_text(tokens_, stack_changes({{&text}}, 2, {})),
                           backbone_->encode_text(tokens_)),
            1e-4);
  EXPECT_GT(test::distance(backbone_->encode_image(pixels_, stack_changes({{&vision}}, 3, {})),
                           backbone_->encode_image(pixels_)),
            1e-4);
}

TEST_F(Prompts, ThoseThatPassEqualThoseThatAreComputedInFull) {
  // A module that changes nothing makes its block carry the prompts along as positions.
  const auto idle = [](std::int64_t layer) {
    return sdk::Affine{.layer = layer,
                       .place = sdk::AffinePlace::attention,
                       .scale = {},
                       .shift = at::zeros({32})};
  };
  const at::Tensor upstream = test::random_tensor({4, 16}, 9);
  // Heads 8 and 16 wide: LibTorch's attention and ours.
  Config config = test::small_config();
  config.shape.vision.heads = 2;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  const auto wide_heads = Backbone::random(config, Tokenizer::load(test::tokenizer_folder()),
                                           Preprocessing{.image_size = 16}, generator);
  for (const auto& [backbone, layers] : {std::pair{backbone_, std::vector<std::int64_t>{0, 1, 2}},
                                         std::pair{backbone_, std::vector<std::int64_t>{1, 2}},
                                         std::pair{wide_heads, std::vector<std::int64_t>{0, 1, 2}},
                                         std::pair{wide_heads, std::vector<std::int64_t>{0, 1}},
                                         std::pair{wide_heads, std::vector<std::int64_t>{0, 2}}}) {
    std::vector<at::Tensor> features, gradients;
    for (const bool in_full : {false, true}) {
      std::vector<sdk::TowerChanges> sets{make_prompts(layers, 3, 32, 1),
                                          make_prompts(layers, 3, 32, 2)};
      for (sdk::TowerChanges& set : sets) {
        for (sdk::PromptTokens& prompt : set.prompts)
          prompt.tokens.set_requires_grad(true);
        for (std::int64_t layer = 0; in_full && layer < 3; ++layer)
          set.affines.push_back(idle(layer));
      }
      TowerBatch batch =
          stack_changes({{&sets[0]}, {&sets[1]}}, 3, at::tensor({0, 0, 1, 1}, at::kLong));
      batch.set_sizes = {2, 2};
      features.push_back(backbone->encode_image(pixels_, batch));
      features.back().backward(upstream);
      for (const sdk::TowerChanges& set : sets)
        for (const sdk::PromptTokens& prompt : set.prompts)
          gradients.push_back(prompt.tokens.grad());
    }
    EXPECT_LE(test::distance(features[0], features[1]), 5e-6);
    const std::size_t n = gradients.size() / 2;
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_GT(gradients[i].abs().max().item<double>(), 1e-3);
      EXPECT_LE(test::distance(gradients[i], gradients[n + i]),
                2e-5 * gradients[i].abs().max().item<double>());
    }
  }
}

TEST_F(Prompts, RefusesThoseThatDoNotFit) {
  const auto stack = [&](const std::vector<std::vector<const sdk::TowerChanges*>>& sets) {
    return test::error_of([&] { (void)stack_changes(sets, 2, {}); });
  };
  const sdk::TowerChanges first = make_prompts({0}, 2, 24, 1);
  const sdk::TowerChanges both = make_prompts({0, 1}, 2, 24, 1);
  const sdk::TowerChanges longer = make_prompts({0}, 3, 24, 1);
  const sdk::TowerChanges outside = make_prompts({2}, 2, 24, 1);
  const sdk::TowerChanges twice = make_prompts({0, 0}, 2, 24, 1);
  EXPECT_THAT(stack({{&first}, {&both}}), HasSubstr("different layers: layer 1"));
  EXPECT_THAT(stack({{&first, &both}}), HasSubstr("different layers: layer 1"));
  EXPECT_THAT(stack({{&first}, {&longer}}), HasSubstr("[2, 24] and [3, 24] at layer 0"));
  EXPECT_THAT(stack({{&outside}}), HasSubstr("at layer 2, but the tower has the layers 0 to 1"));
  EXPECT_THAT(stack({{&twice}}), HasSubstr("lists layer 0 twice"));

  const sdk::TowerChanges wide = make_prompts({0}, 2, 25, 1);
  EXPECT_THAT(test::error_of(
                  [&] { (void)backbone_->encode_text(tokens_, stack_changes({{&wide}}, 2, {})); }),
              HasSubstr("layer 0 of the text tower have shape [1, 2, 25], expected"));
  EXPECT_THAT(test::error_of([&] {
                (void)backbone_->encode_text(tokens_, stack_changes({{&first}, {&first}}, 2, {}));
              }),
              HasSubstr("which sample uses which set"));
}

TEST_F(Prompts, ATextLongerThanTheContextIsRefused) {
  const std::int64_t room = 20 - tokens_.ids.size(1);
  const sdk::TowerChanges fits = make_prompts({0}, room, 24, 1);
  const sdk::TowerChanges too_long = make_prompts({0}, room + 1, 24, 1);
  EXPECT_NO_THROW((void)backbone_->encode_text(tokens_, stack_changes({{&fits}}, 2, {})));
  EXPECT_THAT(test::error_of([&] {
                (void)backbone_->encode_text(tokens_, stack_changes({{&too_long}}, 2, {}));
              }),
              HasSubstr("do not fit the context of 20 positions"));
}

}  // namespace
}  // namespace petlab::clip
