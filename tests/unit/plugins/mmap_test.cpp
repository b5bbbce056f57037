#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::tests {
namespace {

std::unique_ptr<sdk::Adapter> make_mmap(const sdk::BackboneView& backbone,
                                        const GivenOptions& given = {}, std::uint64_t seed = 1) {
  return make_adapter(*make_method("mmap", "mmap", given), backbone, seed);
}

std::int64_t mmap_count(const GivenOptions& given) {
  return count_parameters(*make_mmap(FakeBackbone::vit_b16(), given));
}

std::string mmap_refusal(const GivenOptions& given) {
  return error_of(sdk::ErrorKind::config, [&] { (void)make_mmap(FakeBackbone::small(), given); });
}

TEST(Mmap, CountsByTheFormulaOnVitB16) {
  EXPECT_EQ(mmap_count({}), 15'552);                          // 12 * (16 + 512 + 768)
  EXPECT_EQ(mmap_count({{"preset", "rank-1"}}), 15'552);      // the same
  EXPECT_EQ(mmap_count({{"b", "4"}}), 12 * (4 + 512 + 768));  // of rank 4: m = n = 2
  EXPECT_EQ(mmap_count({{"b", "8"}}), 12 * (4 + 2 * (512 + 768)));
  EXPECT_EQ(mmap_count({{"b", "1"}}), 12 * (1 + 512 + 768));
  EXPECT_EQ(mmap_count({{"m", "8"}, {"n", "1"}, {"depth", "9"}}), 9 * (8 + 2 * 512 + 2 * 768));
  EXPECT_EQ(mmap_count({{"b", "4"}, {"m", "1"}, {"n", "2"}, {"depth", "9"}}),
            9 * (2 + 4 * 256 + 4 * 384));
  EXPECT_EQ(mmap_count({{"b", "10"}, {"m", "2"}, {"n", "4"}}), 12 * (8 + 5 * 128 + 5 * 192));
  EXPECT_EQ(mmap_count({{"share-k", "true"}}), 12 * 16 + 512 + 768);
  EXPECT_EQ(mmap_count({{"modalities", "text"}}), 12 * (16 + 512));
  EXPECT_EQ(mmap_count({{"modalities", "vision"}}), 12 * (16 + 768));
}

TEST(Mmap, MakesTheTableOfTheFactSheet) {
  // Six MmAPs (4 tasks + 2 groups), shapes that give about 0.09 % of 149,620,737.
  EXPECT_EQ(6 * mmap_count({{"preset", "paper-0.09"}}), 138'348);
  EXPECT_EQ(6 * mmap_count({{"m", "8"}, {"n", "1"}, {"depth", "9"}}), 138'672);
  EXPECT_EQ(6 * mmap_count({{"b", "4"}, {"m", "2"}, {"n", "1"}, {"depth", "9"}}), 138'348);
  EXPECT_EQ(7 * mmap_count({{"b", "10"}, {"m", "2"}, {"n", "4"}}), 135'072);
}

TEST(Mmap, GivesBothTowersKroneckerProductsOfTheSameSource) {
  const auto adapter =
      make_mmap(FakeBackbone::small(), {{"b", "8"}, {"m", "4"}, {"n", "2"}, {"init", ""}});
  const auto parameters = adapter->parameters();
  ASSERT_EQ(parameters.size(), 3u);
  EXPECT_EQ(parameters[0].name, "source");
  EXPECT_EQ(parameters[1].name, "text-scales");
  EXPECT_EQ(parameters[2].name, "vision-scales");
  EXPECT_EQ(parameters[0].value.sizes(), at::IntArrayRef({4, 4, 2}));
  EXPECT_EQ(parameters[1].value.sizes(), at::IntArrayRef({3, 2, 8}));
  EXPECT_EQ(parameters[2].value.sizes(), at::IntArrayRef({4, 2, 12}));

  const sdk::BackboneChanges changes = adapter->changes({});
  ASSERT_EQ(changes.text.prompts.size(), 3u);  // the text tower has one layer less
  ASSERT_EQ(changes.vision.prompts.size(), 4u);
  for (std::int64_t layer = 0; layer < 4; ++layer) {
    const auto i = static_cast<std::size_t>(layer);
    const at::Tensor source = parameters[0].value[layer];
    EXPECT_EQ(changes.vision.prompts[i].layer, layer);
    EXPECT_TRUE(
        changes.vision.prompts[i].tokens.equal(at::kron(parameters[2].value[layer], source)));
    if (layer == 3) continue;
    EXPECT_EQ(changes.text.prompts[i].layer, layer);
    EXPECT_TRUE(changes.text.prompts[i].tokens.equal(at::kron(parameters[1].value[layer], source)));
  }
}

TEST(Mmap, GradientsOfBothTowersMeetInTheSource) {
  const auto adapter = make_mmap(FakeBackbone::small());
  const auto parameters = adapter->parameters();
  const auto gradient_of = [&](bool text, bool vision) {
    for (const auto& parameter : parameters)
      parameter.value.mutable_grad() = at::Tensor();
    const sdk::BackboneChanges changes = adapter->changes({});
    at::Tensor loss = at::zeros({});
    if (text) loss = loss + changes.text.prompts[1].tokens.sum();
    if (vision) loss = loss + changes.vision.prompts[1].tokens.sum();
    loss.backward();
    return parameters[0].value.grad().clone();
  };
  const at::Tensor both = gradient_of(true, true);
  EXPECT_TRUE(at::allclose(both, gradient_of(true, false) + gradient_of(false, true)));
  EXPECT_GT(gradient_of(true, false).abs().sum().item<double>(), 0.0);
}

TEST(Mmap, PromptsStartWithTheProductOfBothSpreads) {
  std::vector<at::Tensor> values;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (const auto& prompt :
         make_mmap(FakeBackbone::small(), {{"k-std", "1"}}, seed)->changes({}).vision.prompts)
      values.push_back(prompt.tokens.detach().flatten());
  EXPECT_NEAR(at::cat(values).std().item<double>(), 0.02, 0.002);
  EXPECT_NEAR(at::cat(values).mean().item<double>(), 0.0, 0.002);
}

TEST(Mmap, StartsTheScalesAsTheOptionSays) {
  const auto ones = make_mmap(FakeBackbone::small(), {{"k-init", "ones"}})->parameters();
  EXPECT_TRUE(ones[1].value.eq(1).all().item<bool>());
  EXPECT_TRUE(ones[2].value.eq(1).all().item<bool>());
  const auto small =
      make_mmap(FakeBackbone::small(), {{"m", "1"}, {"k-std", "0.1"}, {"p-std", "0.5"}})
          ->parameters();
  EXPECT_NEAR(small[1].value.std().item<double>(), 0.1, 0.01);
  EXPECT_NEAR(small[2].value.std().item<double>(), 0.1, 0.01);
}

TEST(Mmap, AblationKeepsItsScalesAsTheyStart) {
  const auto adapter = make_mmap(FakeBackbone::small(), {{"prompts", "source"}});
  const auto parameters = adapter->parameters();
  ASSERT_EQ(parameters.size(), 1u);
  EXPECT_EQ(parameters[0].name, "source");
  // The same draw as with trained scales.
  const auto whole = make_mmap(FakeBackbone::small())->changes({});
  const auto frozen = adapter->changes({});
  ASSERT_EQ(frozen.text.prompts.size(), 3u);
  ASSERT_EQ(frozen.vision.prompts.size(), 4u);
  EXPECT_TRUE(frozen.vision.prompts[2].tokens.equal(whole.vision.prompts[2].tokens));
  EXPECT_EQ(mmap_count({{"prompts", "source"}}), 12 * 16);
}

TEST(Mmap, AblationHasPromptsOfEqualSizeWithoutASource) {
  const auto adapter = make_mmap(FakeBackbone::small(), {{"prompts", "independent"}, {"b", "5"}});
  const auto parameters = adapter->parameters();
  ASSERT_EQ(parameters.size(), 2u);
  EXPECT_EQ(parameters[0].value.sizes(), at::IntArrayRef({3, 5, 16}));
  EXPECT_EQ(parameters[1].value.sizes(), at::IntArrayRef({4, 5, 24}));
  const sdk::BackboneChanges changes = adapter->changes({});
  EXPECT_TRUE(changes.text.prompts[1].tokens.equal(parameters[0].value[1]));
  // They start from words as the others do.
  const at::Tensor shift = changes.text.prompts[0].tokens - parameters[0].value[0];
  EXPECT_NEAR(shift[3].mean().item<double>(), 103.0, 1e-4);
  EXPECT_NEAR(shift[4].mean().item<double>(), 100.0, 1e-4);
  EXPECT_TRUE(adapter->changes({}).vision.prompts[3].tokens.equal(parameters[1].value[3]));
  EXPECT_EQ(mmap_count({{"prompts", "independent"}}), 12 * 16 * (512 + 768));
  const auto text_only =
      make_mmap(FakeBackbone::small(), {{"prompts", "independent"}, {"modalities", "text"}});
  EXPECT_EQ(text_only->parameters().size(), 1u);
  EXPECT_TRUE(text_only->changes({}).vision.prompts.empty());
}

TEST(Mmap, StartsFromItsGeneratorAlone) {
  const FakeBackbone backbone = FakeBackbone::small();
  const at::Tensor one = flat_parameters(*make_mmap(backbone, {}, 7));
  EXPECT_TRUE(one.equal(flat_parameters(*make_mmap(backbone, {}, 7))));
  EXPECT_FALSE(one.equal(flat_parameters(*make_mmap(backbone, {}, 8))));
}

TEST(Mmap, PromptsTheFirstLayersOfEachTowerUpToItsDepth) {
  const auto layers = [](const GivenOptions& given) {
    const sdk::BackboneChanges changes = make_mmap(FakeBackbone::small(), given)->changes({});
    return std::pair(changes.text.prompts.size(), changes.vision.prompts.size());
  };
  EXPECT_EQ(layers({}), std::pair(std::size_t{3}, std::size_t{4}));
  EXPECT_EQ(layers({{"depth", "2"}}), std::pair(std::size_t{2}, std::size_t{2}));
  EXPECT_EQ(layers({{"depth", "4"}}), std::pair(std::size_t{3}, std::size_t{4}));
  EXPECT_EQ(layers({{"modalities", "text"}}), std::pair(std::size_t{3}, std::size_t{0}));
  EXPECT_EQ(layers({{"modalities", "vision"}}), std::pair(std::size_t{0}, std::size_t{4}));
}

TEST(Mmap, StartsTheFirstTextLayerFromWords) {
  const FakeBackbone backbone = FakeBackbone::small();
  // Row i of the words is 100 + i; the rows behind them are the product alone.
  const auto words = [&](const GivenOptions& given, std::int64_t place) {
    FakeContext context(backbone, 1, place);
    const auto adapter = make_method("mmap", "mmap", given)->make_adapter(context);
    const auto parameters = adapter->parameters();
    const sdk::BackboneChanges changes = adapter->changes({});
    for (std::size_t layer = 1; layer < changes.text.prompts.size(); ++layer) {
      const auto l = static_cast<std::int64_t>(layer);
      EXPECT_TRUE(changes.text.prompts[layer].tokens.equal(
          at::kron(parameters[1].value[l], parameters[0].value[l])));
    }
    const at::Tensor shift = changes.text.prompts[0].tokens.detach() -
                             at::kron(parameters[1].value[0], parameters[0].value[0]);
    const at::Tensor rows = shift.mean(1).round();
    return std::vector<float>(rows.const_data_ptr<float>(),
                              rows.const_data_ptr<float>() + rows.numel());
  };
  EXPECT_EQ(words({{"b", "6"}}, 0), (std::vector<float>{100, 101, 102, 103, 100, 101}));
  EXPECT_EQ(words({{"b", "2"}}, 0), (std::vector<float>{100, 101}));
  EXPECT_EQ(words({{"b", "3"}, {"init", "an image"}}, 0), (std::vector<float>{100, 101, 100}));
  EXPECT_EQ(words({{"b", "4"}, {"init", ""}}, 0), std::vector<float>(4));
  EXPECT_EQ(words({{"b", "4"}}, 1), (std::vector<float>{100, 101, 102, 103}));
  EXPECT_EQ(words({{"b", "4"}, {"init-adapters", "first"}}, 1), std::vector<float>(4));
  EXPECT_EQ(words({{"b", "4"}, {"composition", "add"}}, 0),
            (std::vector<float>{100, 101, 102, 103}));
  EXPECT_EQ(words({{"b", "4"}, {"composition", "add"}}, 1), std::vector<float>(4));
}

TEST(Mmap, SaysHowItsPromptsAreComposed) {
  const auto composition = [](const GivenOptions& given) {
    const sdk::BackboneChanges changes = make_mmap(FakeBackbone::small(), given)->changes({});
    EXPECT_EQ(changes.text.prompt_composition, changes.vision.prompt_composition);
    return changes.text.prompt_composition;
  };
  EXPECT_EQ(composition({}), sdk::PromptComposition::concatenate);
  EXPECT_EQ(composition({{"composition", "add"}}), sdk::PromptComposition::add);
  EXPECT_EQ(composition({{"composition", "add"}, {"prompts", "independent"}}),
            sdk::PromptComposition::add);
}

TEST(Mmap, KeepsTheWordsOnlyWhereNoPromptReplacesThem) {
  EXPECT_EQ(make_method("mmap", "mmap", {{"b", "2"}})->text_template(), "of a {}.");
  EXPECT_EQ(make_method("mmap", "mmap", {{"b", "2"}, {"init", ""}})->text_template(), "{}.");
  EXPECT_EQ(make_method("mmap", "mmap")->text_template(), "{}.");
  EXPECT_EQ(make_method("mmap", "mmap", {{"modalities", "vision"}})->text_template(),
            "a photo of a {}.");
  EXPECT_EQ(make_method("mmap", "mmap", {{"template", "a {}"}})->text_template(), "a {}");
  EXPECT_EQ(error_of(sdk::ErrorKind::config,
                     [] { (void)make_method("mmap", "mmap", {{"template", "none"}}); }),
            "method 'mmap': option 'template' is 'none', expected a text with exactly one {} for "
            "the class name");
}

TEST(Mmap, RefusesShapesThatDoNotDivide) {
  EXPECT_EQ(mmap_refusal({{"m", "3"}}),
            "method 'mmap': option 'm' is 3, expected a divisor of option 'b', 16");
  EXPECT_EQ(
      mmap_refusal({{"n", "3"}}),
      "method 'mmap': option 'n' is 3, expected a divisor of the width of the text tower, 16");
  EXPECT_EQ(mmap_refusal({{"n", "16"}}),
            "method 'mmap': option 'n' is 16, expected a divisor of the width of the image tower, "
            "24");
  EXPECT_EQ(mmap_refusal({{"n", "3"}, {"modalities", "vision"}}), "");
}

TEST(Mmap, RefusesMoreLayersThanAnyPromptedTowerHas) {
  EXPECT_EQ(mmap_refusal({{"depth", "5"}}),
            "method 'mmap': option 'depth' is 5, expected at most 4, the layers of the deepest "
            "prompted tower (0 stands for the preset's)");
  EXPECT_EQ(mmap_refusal({{"depth", "4"}, {"modalities", "text"}}),
            "method 'mmap': option 'depth' is 4, expected at most 3, the layers of the deepest "
            "prompted tower (0 stands for the preset's)");
}

}  // namespace
}  // namespace petlab::tests
