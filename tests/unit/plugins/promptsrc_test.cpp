#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"
#include "petlab/sdk/training_adapter.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace petlab::tests {
namespace {

std::unique_ptr<sdk::Adapter> make_promptsrc(const sdk::BackboneView& backbone,
                                             const GivenOptions& given = {},
                                             std::int64_t place = 0) {
  const auto method = make_method("promptsrc", "promptsrc", given);
  return method->make_adapter(FakeContext(backbone, 1, place));
}

std::vector<double> weights(const GivenOptions& given, std::int64_t epochs) {
  const FakeBackbone backbone = FakeBackbone::small();
  const auto adapter = make_promptsrc(backbone, given);
  return sdk::training_part(*adapter)->epoch_weights(epochs);
}

TEST(PromptSrc, CountsAsPublishedOnVitB16) {
  // The second of two composed adapters asks for no features, which the fake backbone has not.
  EXPECT_EQ(count_parameters(*make_promptsrc(FakeBackbone::vit_b16(), {}, 1)),
            9 * 4 * 512 + 9 * 4 * 768);
}

TEST(PromptSrc, PromptsThreeQuartersOfTheLayers) {
  const FakeBackbone backbone = FakeBackbone::small();
  const auto adapter = make_promptsrc(backbone);
  const sdk::BackboneChanges changes = adapter->changes({});
  EXPECT_EQ(changes.vision.prompts.size(), 3U);  // of 4
  EXPECT_EQ(changes.text.prompts.size(), 2U);    // of 3
  EXPECT_EQ(make_method("promptsrc", "promptsrc")->text_template(), "{}.");
  EXPECT_EQ(error_of(sdk::ErrorKind::config,
                     [&] { (void)make_promptsrc(backbone, {{"text-depth", "4"}}); }),
            "method 'promptsrc': option 'text-depth' is 4, expected at most 3, the layers of the "
            "text tower (0 stands for all)");
}

TEST(PromptSrc, TestsAGaussianMeanOfTheEpochs) {
  const std::vector<double> twenty = weights({}, 20);
  ASSERT_EQ(twenty.size(), 20U);
  EXPECT_NEAR(std::accumulate(twenty.begin(), twenty.end(), 0.0), 1.0, 1e-12);
  // The density at epochs 15 and 16 around 15 with spread 1, over the sum of all.
  EXPECT_NEAR(twenty[14], 0.3989423, 1e-6);
  EXPECT_NEAR(twenty[15], 0.3989423 * std::exp(-0.5), 1e-6);
  EXPECT_EQ(twenty[13], twenty[15]);
  // Far from the Gaussian's middle the nearest epoch is what counts, not 0 of 0.
  const std::vector<double> few = weights({{"gpa-mean", "1000"}}, 3);
  EXPECT_NEAR(few[2], 1.0, 1e-12);
  EXPECT_TRUE(weights({{"gpa-std", "0"}}, 3).empty());
}

TEST(PromptSrc, AsksForWhatItsLossesNeed) {
  using namespace sdk::step_tensor;
  const FakeBackbone backbone = FakeBackbone::small();
  EXPECT_EQ(sdk::training_part(*make_promptsrc(backbone))->step_tensors(),
            kImageFeatures | kTextFeatures | kFrozenImageFeatures | kLogits | kMeanOverImages);
  EXPECT_EQ(sdk::training_part(*make_promptsrc(backbone, {}, 1))->step_tensors(), 0U);
}

TEST(PromptSrc, RefusesTextsWithoutAPlaceForTheName) {
  const auto refusal = [](const std::string& templates) {
    return error_of(sdk::ErrorKind::config, [&] {
      (void)make_method("promptsrc", "promptsrc", {{"templates", templates}});
    });
  };
  EXPECT_THAT(refusal("a {}|a cup"), testing::HasSubstr("'a cup', expected a text"));
  EXPECT_THAT(refusal(""), testing::HasSubstr("expected imagenet-60 or texts with {}"));
}

}  // namespace
}  // namespace petlab::tests
