#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <gtest/gtest.h>

namespace petlab::tests {
namespace {

std::unique_ptr<sdk::Adapter> make_ivlp(const sdk::BackboneView& backbone,
                                        const GivenOptions& given = {}) {
  return make_adapter(*make_method("ivlp", "ivlp", given), backbone);
}

TEST(Ivlp, CountsAsPublishedOnVitB16) {
  EXPECT_EQ(count_parameters(*make_ivlp(FakeBackbone::vit_b16())), 30'720);
  EXPECT_EQ(count_parameters(*make_ivlp(
                FakeBackbone::vit_b16(),
                {{"n-text", "4"}, {"n-vision", "1"}, {"text-depth", "9"}, {"vision-depth", "3"}})),
            9 * 4 * 512 + 3 * 768);
}

TEST(Ivlp, PromptsBothTowersOnTheirOwn) {
  const sdk::BackboneChanges changes =
      make_ivlp(FakeBackbone::small(), {{"n-vision", "5"}, {"vision-depth", "2"}})->changes({});
  ASSERT_EQ(changes.text.prompts.size(), 3u);
  ASSERT_EQ(changes.vision.prompts.size(), 2u);
  EXPECT_EQ(changes.text.prompts[0].tokens.sizes(), at::IntArrayRef({2, 16}));
  EXPECT_EQ(changes.vision.prompts[0].tokens.sizes(), at::IntArrayRef({5, 24}));
  EXPECT_EQ(changes.text.prompts[0].tokens[1][0].item<double>(), 101.0);
  EXPECT_LT(changes.text.prompts[1].tokens.abs().max().item<double>(), 0.2);
  EXPECT_LT(changes.vision.prompts[0].tokens.abs().max().item<double>(), 0.2);
  EXPECT_EQ(make_method("ivlp", "ivlp")->text_template(), "of a {}.");
}

TEST(Ivlp, RefusesMoreLayersThanATowerHas) {
  EXPECT_EQ(error_of(sdk::ErrorKind::config,
                     [] { (void)make_ivlp(FakeBackbone::small(), {{"text-depth", "4"}}); }),
            "method 'ivlp': option 'text-depth' is 4, expected at most 3, the layers of the text "
            "tower (0 stands for all)");
  EXPECT_EQ(
      error_of(sdk::ErrorKind::config,
               [] { (void)make_ivlp(FakeBackbone::small(), {{"vision-depth", "5"}}); }),
      "method 'ivlp': option 'vision-depth' is 5, expected at most 4, the layers of the image "
      "tower (0 stands for all)");
}

}  // namespace
}  // namespace petlab::tests
