#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <gtest/gtest.h>

namespace petlab::tests {
namespace {

std::unique_ptr<sdk::Adapter> make_prompts(const char* name, const sdk::BackboneView& backbone,
                                           const GivenOptions& given = {}, std::uint64_t seed = 1) {
  return make_adapter(*make_method("single_modal_prompts", name, given), backbone, seed);
}

TEST(TextPrompt, CountsAsPublishedOnVitB16) {
  EXPECT_EQ(count_parameters(*make_prompts("text-prompt", FakeBackbone::vit_b16())), 24'576);
}

TEST(TextPrompt, PromptsEveryTextLayerAndStartsTheFirstFromTheText) {
  const sdk::BackboneChanges changes =
      make_prompts("text-prompt", FakeBackbone::small())->changes({});
  EXPECT_TRUE(changes.vision.prompts.empty());
  ASSERT_EQ(changes.text.prompts.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(changes.text.prompts[i].layer, static_cast<std::int64_t>(i));
    EXPECT_EQ(changes.text.prompts[i].tokens.sizes(), at::IntArrayRef({4, 16}));
  }
  EXPECT_EQ(changes.text.prompts[0].tokens[3][15].item<double>(), 103.0);
  EXPECT_LT(changes.text.prompts[1].tokens.abs().max().item<double>(), 0.2);
}

TEST(TextPrompt, KeepsTheWordsThatItDoesNotLearn) {
  const auto text = [](const GivenOptions& given) {
    return make_method("single_modal_prompts", "text-prompt", given)->text_template();
  };
  EXPECT_EQ(text({}), "{}.");
  EXPECT_EQ(text({{"n-prompt", "9"}}), "{}.");
  EXPECT_EQ(text({{"n-prompt", "3"}}), "a {}.");
  EXPECT_EQ(text({{"n-prompt", "1"}}), "photo of a {}.");
  EXPECT_EQ(text({{"init", ""}}), "{}.");
}

TEST(TextPrompt, TakesAnotherTemplateAndNoInitialText) {
  const GivenOptions given = {{"init", ""}, {"template", "a {}"}};
  EXPECT_EQ(make_method("single_modal_prompts", "text-prompt", given)->text_template(), "a {}");
  const at::Tensor values =
      flat_parameters(*make_prompts("text-prompt", FakeBackbone::small(), given));
  EXPECT_LT(values.abs().max().item<double>(), 0.2);
}

TEST(VisionPrompt, HasTheLengthAndDepthOfMmap) {
  EXPECT_EQ(count_parameters(*make_prompts("vision-prompt", FakeBackbone::vit_b16())),
            12 * 16 * 768);
  const auto mmap = make_adapter(*make_method("mmap", "mmap"), FakeBackbone::small());
  const auto vision = make_prompts("vision-prompt", FakeBackbone::small());
  const auto ours = vision->changes({}).vision.prompts;
  const auto theirs = mmap->changes({}).vision.prompts;
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].layer, theirs[i].layer);
    EXPECT_EQ(ours[i].tokens.sizes(), theirs[i].tokens.sizes());
  }
  EXPECT_TRUE(vision->changes({}).text.prompts.empty());
}

TEST(VisionPrompt, StartsWithASmallSpreadFromItsGeneratorAlone) {
  const FakeBackbone backbone = FakeBackbone::small();
  const at::Tensor one =
      flat_parameters(*make_prompts("vision-prompt", backbone, {{"n-prompt", "200"}}));
  EXPECT_NEAR(one.std().item<double>(), 0.02, 0.001);
  EXPECT_TRUE(
      one.equal(flat_parameters(*make_prompts("vision-prompt", backbone, {{"n-prompt", "200"}}))));
}

TEST(SingleModalPrompts, RefuseMoreLayersThanTheirTowerHas) {
  EXPECT_EQ(
      error_of(sdk::ErrorKind::config,
               [] { (void)make_prompts("text-prompt", FakeBackbone::small(), {{"depth", "4"}}); }),
      "method 'text-prompt': option 'depth' is 4, expected at most 3, the layers of the text "
      "tower (0 stands for all)");
  EXPECT_EQ(error_of(sdk::ErrorKind::config,
                     [] {
                       (void)make_prompts("vision-prompt", FakeBackbone::small(), {{"depth", "9"}});
                     }),
            "method 'vision-prompt': option 'depth' is 9, expected at most 4, the layers of the "
            "image tower (0 stands for all)");
}

}  // namespace
}  // namespace petlab::tests
