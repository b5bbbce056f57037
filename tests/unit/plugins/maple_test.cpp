#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace petlab::tests {
namespace {

std::unique_ptr<sdk::Adapter> make_maple(const sdk::BackboneView& backbone,
                                         const GivenOptions& given = {}, std::uint64_t seed = 1) {
  return make_adapter(*make_method("maple", "maple", given), backbone, seed);
}

TEST(Maple, CountsAsPublishedOnVitB16) {
  EXPECT_EQ(count_parameters(*make_maple(FakeBackbone::vit_b16())), 3'555'072);
  EXPECT_EQ(count_parameters(*make_maple(FakeBackbone::vit_b16(), {{"depth", "3"}})), 1'185'024);
}

TEST(Maple, MakesImagePromptsOfTheTextPrompts) {
  const auto adapter = make_maple(FakeBackbone::small(), {{"depth", "3"}});
  const auto parameters = adapter->parameters();
  ASSERT_EQ(parameters.size(), 3u);
  EXPECT_EQ(parameters[0].value.sizes(), at::IntArrayRef({3, 2, 16}));
  EXPECT_EQ(parameters[1].value.sizes(), at::IntArrayRef({3, 24, 16}));
  EXPECT_EQ(parameters[2].value.sizes(), at::IntArrayRef({3, 24}));
  const sdk::BackboneChanges changes = adapter->changes({});
  ASSERT_EQ(changes.text.prompts.size(), 3u);
  ASSERT_EQ(changes.vision.prompts.size(), 3u);
  for (std::int64_t layer = 0; layer < 3; ++layer) {
    const auto i = static_cast<std::size_t>(layer);
    EXPECT_EQ(changes.vision.prompts[i].layer, layer);
    EXPECT_TRUE(changes.text.prompts[i].tokens.equal(parameters[0].value[layer]));
    EXPECT_TRUE(at::allclose(changes.vision.prompts[i].tokens,
                             at::linear(parameters[0].value[layer], parameters[1].value[layer],
                                        parameters[2].value[layer])));
  }
}

TEST(Maple, StartsFromWordsAndCopiesOfOneMap) {
  const auto parameters = make_maple(FakeBackbone::small(), {{"depth", "3"}})->parameters();
  EXPECT_EQ(parameters[0].value[0][1][0].item<double>(), 101.0);
  EXPECT_LT(parameters[0].value[1].abs().max().item<double>(), 0.2);
  EXPECT_TRUE(parameters[1].value[1].equal(parameters[1].value[2]));
  EXPECT_TRUE(parameters[2].value[1].equal(parameters[2].value[2]));
  EXPECT_FALSE(parameters[1].value[0].equal(parameters[1].value[1]));
  EXPECT_LE(parameters[1].value.abs().max().item<double>(), 0.25);
  EXPECT_GT(parameters[1].value.abs().max().item<double>(), 0.24);
}

TEST(Maple, KeepsTheWordsThatItDoesNotLearn) {
  EXPECT_EQ(make_method("maple", "maple")->text_template(), "of a {}.");
  EXPECT_EQ(make_method("maple", "maple", {{"n-ctx", "4"}})->text_template(), "{}.");
  EXPECT_EQ(make_method("maple", "maple", {{"template", "a {}"}})->text_template(), "a {}");
}

TEST(Maple, StartsFromItsGeneratorAlone) {
  const FakeBackbone backbone = FakeBackbone::small();
  const GivenOptions given = {{"depth", "2"}};
  const at::Tensor one = flat_parameters(*make_maple(backbone, given, 7));
  EXPECT_TRUE(one.equal(flat_parameters(*make_maple(backbone, given, 7))));
  EXPECT_FALSE(one.equal(flat_parameters(*make_maple(backbone, given, 8))));
}

TEST(Maple, RefusesMoreLayersThanATowerHas) {
  EXPECT_EQ(error_of(sdk::ErrorKind::config, [] { (void)make_maple(FakeBackbone::small()); }),
            "method 'maple': option 'depth' is 9, expected at most 3, the layers of the text tower "
            "(0 stands for all)");
}

}  // namespace
}  // namespace petlab::tests
