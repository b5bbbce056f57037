#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <gtest/gtest.h>

#include <string>

namespace petlab::tests {
namespace {

std::int64_t vit_b16_count(const GivenOptions& given) {
  const auto method = make_method("full_finetune", "full-fine-tuning", given);
  return count_parameters(*make_adapter(*method, FakeBackbone::vit_b16()));
}

TEST(FullFinetune, CountsAllWeightsOfVitB16) {
  EXPECT_EQ(vit_b16_count({}), 149'620'737);
  EXPECT_EQ(vit_b16_count({{"train-logit-scale", "false"}}), 149'620'736);
}

TEST(FullFinetune, CountsOneTowerOfVitB16) {
  EXPECT_EQ(vit_b16_count({{"towers", "image"}, {"train-logit-scale", "false"}}), 86'192'640);
  EXPECT_EQ(vit_b16_count({{"towers", "text"}, {"train-logit-scale", "false"}}), 63'428'096);
}

TEST(FullFinetune, TrainsCopiesThatStartEqualAndShareNoMemory) {
  const FakeBackbone backbone = FakeBackbone::small();
  const auto adapter = make_adapter(*make_method("full_finetune", "full-fine-tuning"), backbone);
  const auto parameters = adapter->parameters();
  const auto weights = backbone.weights();
  ASSERT_EQ(parameters.size(), weights.size() - 1);  // all but the position indices
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_EQ(parameters[i].name, weights[i].name);
    EXPECT_TRUE(parameters[i].value.equal(weights[i].value));
    EXPECT_FALSE(parameters[i].value.is_alias_of(weights[i].value));
    EXPECT_TRUE(parameters[i].value.is_leaf() && parameters[i].value.requires_grad());
    EXPECT_FALSE(weights[i].value.requires_grad());
  }
}

TEST(FullFinetune, ReplacesTheWeightsByTheParametersThemselves) {
  const auto adapter =
      make_adapter(*make_method("full_finetune", "full-fine-tuning", {{"towers", "text"}}),
                   FakeBackbone::small());
  const auto parameters = adapter->parameters();
  const sdk::BackboneChanges changes = adapter->changes({});
  ASSERT_EQ(changes.weights.size(), parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_EQ(changes.weights[i].name, parameters[i].name);
    EXPECT_TRUE(changes.weights[i].value.is_same(parameters[i].value));
    EXPECT_FALSE(parameters[i].name.starts_with("vis")) << parameters[i].name;
  }
  EXPECT_TRUE(changes.vision.prompts.empty() && changes.text.prompts.empty());
}

TEST(FullFinetune, RefusesATowerThatIsNone) {
  EXPECT_EQ(
      error_of(
          sdk::ErrorKind::config,
          [] { (void)make_method("full_finetune", "full-fine-tuning", {{"towers", "audio"}}); }),
      "method 'full-fine-tuning': option 'towers' is 'audio', expected one of "
      "both|image|text");
}

}  // namespace
}  // namespace petlab::tests
