#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <gtest/gtest.h>

namespace petlab::tests {
namespace {

std::unique_ptr<sdk::Adapter> make_coop(const sdk::BackboneView& backbone,
                                        const GivenOptions& given = {}, std::uint64_t seed = 1) {
  return make_adapter(*make_method("coop", "coop", given), backbone, seed);
}

std::unique_ptr<sdk::Adapter> make_csc(const sdk::BackboneView& backbone,
                                       const GivenOptions& given = {}) {
  return make_adapter(*make_method("coop", "coop-csc", given), backbone);
}

TEST(Coop, CountsAsPublishedOnVitB16) {
  EXPECT_EQ(count_parameters(*make_coop(FakeBackbone::vit_b16())), 8'192);
  EXPECT_EQ(count_parameters(*make_coop(FakeBackbone::vit_b16(), {{"n-ctx", "4"}})), 2'048);
  // Four distinct names in the two tasks of the context: cup, bed, alarm clock, fan.
  EXPECT_EQ(count_parameters(*make_csc(FakeBackbone::vit_b16())), 4 * 8'192);
}

TEST(Coop, PutsItsContextAtTheInputOfTheTextTower) {
  const auto adapter = make_coop(FakeBackbone::small());
  const sdk::BackboneChanges changes = adapter->changes({});
  EXPECT_TRUE(changes.vision.prompts.empty());
  ASSERT_EQ(changes.text.prompts.size(), 1u);
  EXPECT_EQ(changes.text.prompts[0].layer, 0);
  EXPECT_EQ(changes.text.prompts[0].tokens.sizes(), at::IntArrayRef({16, 16}));
  EXPECT_TRUE(changes.text.prompts[0].tokens.is_same(adapter->parameters()[0].value));
  EXPECT_TRUE(changes.weights.empty());
  EXPECT_EQ(make_method("coop", "coop")->text_template(), "{}.");
}

TEST(Coop, StartsFromItsGeneratorAlone) {
  const FakeBackbone backbone = FakeBackbone::small();
  const at::Tensor one = flat_parameters(*make_coop(backbone, {}, 7));
  EXPECT_TRUE(one.equal(flat_parameters(*make_coop(backbone, {}, 7))));
  EXPECT_FALSE(one.equal(flat_parameters(*make_coop(backbone, {}, 8))));
}

TEST(Coop, StartsWithTheStandardDeviationOfThePublication) {
  const at::Tensor values = flat_parameters(*make_coop(FakeBackbone::small(), {{"n-ctx", "1000"}}));
  EXPECT_NEAR(values.mean().item<double>(), 0.0, 0.001);
  EXPECT_NEAR(values.std().item<double>(), 0.02, 0.001);
}

TEST(Coop, StartsFromTheTokensOfAText) {
  const GivenOptions given = {{"n-ctx", "4"}, {"init", "a photo of a"}};
  const at::Tensor context = make_coop(FakeBackbone::small(), given)->parameters()[0].value;
  EXPECT_TRUE(context.requires_grad());
  for (std::int64_t i = 0; i < 4; ++i)
    EXPECT_TRUE(context[i].eq(100.0 + static_cast<double>(i)).all().item<bool>());
}

TEST(Coop, TakesTheFirstTokensOfALongTextAndFillsAfterAShortOne) {
  const at::Tensor cut =
      make_coop(FakeBackbone::small(), {{"n-ctx", "2"}, {"init", "a photo of a"}})
          ->parameters()[0]
          .value;
  EXPECT_EQ(cut[1][0].item<double>(), 101.0);
  const at::Tensor filled =
      make_coop(FakeBackbone::small(), {{"n-ctx", "3"}, {"init", "icon"}})->parameters()[0].value;
  EXPECT_EQ(filled[0][0].item<double>(), 100.0);
  EXPECT_LT(filled.narrow(0, 1, 2).abs().max().item<double>(), 0.2);
}

TEST(Coop, RefusesNoContext) {
  EXPECT_EQ(
      error_of(sdk::ErrorKind::config, [] { (void)make_method("coop", "coop", {{"n-ctx", "0"}}); }),
      "method 'coop': option 'n-ctx' is '0', expected an integer >= 1 and <= 1024");
  EXPECT_EQ(
      error_of(sdk::ErrorKind::config, [] { (void)make_method("coop", "coop", {{"n_ctx", "4"}}); }),
      "method 'coop' has no option 'n_ctx'; it knows n-ctx, init, init-std, class-position");
}

TEST(Coop, PutsTheClassWhereTheOptionSays) {
  const auto position = [](const GivenOptions& given) {
    return make_coop(FakeBackbone::small(), given)->changes({}).text.class_position;
  };
  EXPECT_EQ(position({}), sdk::ClassPosition::end);
  EXPECT_EQ(position({{"class-position", "end"}}), sdk::ClassPosition::end);
  EXPECT_EQ(position({{"class-position", "middle"}}), sdk::ClassPosition::middle);
  EXPECT_EQ(position({{"class-position", "front"}}), sdk::ClassPosition::front);
  EXPECT_EQ(make_csc(FakeBackbone::small(), {{"class-position", "front"}})
                ->changes({})
                .text.class_position,
            sdk::ClassPosition::front);
}

TEST(CoopCsc, GivesEachTaskTheContextsOfItsClasses) {
  const auto adapter = make_csc(FakeBackbone::small(), {{"n-ctx", "3"}});
  const at::Tensor contexts = adapter->parameters()[0].value;
  EXPECT_EQ(contexts.sizes(), at::IntArrayRef({4, 3, 16}));
  const auto art = adapter->changes({.task = 0}).text.prompts.at(0).tokens;
  const auto real = adapter->changes({.task = 1}).text.prompts.at(0).tokens;
  EXPECT_TRUE(art.equal(contexts.narrow(0, 0, 3)));  // cup, bed, alarm clock
  ASSERT_EQ(real.sizes(), at::IntArrayRef({2, 3, 16}));
  EXPECT_TRUE(real[0].equal(contexts[0]));  // the cup of both tasks
  EXPECT_TRUE(real[1].equal(contexts[3]));  // fan
}

TEST(CoopCsc, AloneDependsOnTheTask) {
  EXPECT_TRUE(find_method("coop", "coop-csc").task_dependent);
  EXPECT_FALSE(find_method("coop", "coop").task_dependent);
}

}  // namespace
}  // namespace petlab::tests
