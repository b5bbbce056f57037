#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace petlab::tests {
namespace {

std::unique_ptr<sdk::Adapter> make_cocoop(const sdk::BackboneView& backbone,
                                          const GivenOptions& given = {}, std::uint64_t seed = 1) {
  return make_adapter(*make_method("cocoop", "cocoop", given), backbone, seed);
}

TEST(Cocoop, CountsAsPublishedOnVitB16) {
  EXPECT_EQ(count_parameters(*make_cocoop(FakeBackbone::vit_b16())), 35'360);
  EXPECT_EQ(count_parameters(*make_cocoop(FakeBackbone::vit_b16(), {{"n-ctx", "16"}})),
            35'360 + 12 * 512);
}

TEST(Cocoop, ConditionsItsContextOnTheImage) {
  const auto adapter = make_cocoop(FakeBackbone::small(), {{"reduction", "3"}});
  const auto parameters = adapter->parameters();
  ASSERT_EQ(parameters.size(), 5u);
  const sdk::BackboneChanges changes = adapter->changes({});
  ASSERT_EQ(changes.text.prompts.size(), 1u);
  EXPECT_EQ(changes.text.prompts[0].tokens[3][0].item<double>(), 103.0);  // "a"
  ASSERT_TRUE(changes.text.condition.has_value());
  const sdk::PromptCondition& condition = *changes.text.condition;
  EXPECT_EQ(condition.down.sizes(), at::IntArrayRef({4, 12}));
  EXPECT_EQ(condition.down_bias.sizes(), at::IntArrayRef({4}));
  EXPECT_EQ(condition.up.sizes(), at::IntArrayRef({16, 4}));
  EXPECT_EQ(condition.up_bias.sizes(), at::IntArrayRef({16}));
  EXPECT_TRUE(condition.up.is_same(parameters[3].value));
  EXPECT_TRUE(changes.vision.prompts.empty());
  EXPECT_EQ(make_method("cocoop", "cocoop")->text_template(), "{}.");
}

TEST(Cocoop, StartsItsMetaNetAsALinearLayer) {
  const auto parameters = make_cocoop(FakeBackbone::small(), {{"reduction", "3"}})->parameters();
  EXPECT_LE(parameters[1].value.abs().max().item<double>(), 1 / std::sqrt(12.0));
  EXPECT_GT(parameters[1].value.abs().max().item<double>(), 0.8 / std::sqrt(12.0));
  EXPECT_LE(parameters[3].value.abs().max().item<double>(), 0.5);
  EXPECT_GT(parameters[4].value.abs().max().item<double>(), 0.3);
}

TEST(Cocoop, StartsFromItsGeneratorAlone) {
  const FakeBackbone backbone = FakeBackbone::small();
  const GivenOptions given = {{"reduction", "3"}};
  const at::Tensor one = flat_parameters(*make_cocoop(backbone, given, 7));
  EXPECT_TRUE(one.equal(flat_parameters(*make_cocoop(backbone, given, 7))));
  EXPECT_FALSE(one.equal(flat_parameters(*make_cocoop(backbone, given, 8))));
}

TEST(Cocoop, RefusesAMetaNetWithoutHiddenUnits) {
  EXPECT_EQ(
      error_of(sdk::ErrorKind::config, [] { (void)make_cocoop(FakeBackbone::small()); }),
      "method 'cocoop': option 'reduction' is 16, expected at most 12, the width of the image "
      "features");
}

}  // namespace
}  // namespace petlab::tests
