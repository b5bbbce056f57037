#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace petlab::tests {
namespace {

std::unique_ptr<sdk::Adapter> make_vpt(const char* name, const sdk::BackboneView& backbone,
                                       const GivenOptions& given = {}, std::uint64_t seed = 1) {
  return make_adapter(*make_method("vpt", name, given), backbone, seed);
}

TEST(Vpt, CountsAsPublishedOnVitB16) {
  EXPECT_EQ(count_parameters(*make_vpt("vpt-deep", FakeBackbone::vit_b16())), 73'728);
  EXPECT_EQ(count_parameters(*make_vpt("vpt-shallow", FakeBackbone::vit_b16())), 6'144);
  EXPECT_EQ(count_parameters(*make_vpt("vpt-deep", FakeBackbone::vit_b16(), {{"depth", "9"}})),
            55'296);
}

TEST(Vpt, TrainsSmallVectorsAndAMapWhereItProjects) {
  const auto adapter = make_vpt("vpt-deep", FakeBackbone::small(), {{"project", "5"}});
  const auto parameters = adapter->parameters();
  ASSERT_EQ(parameters.size(), 3u);
  EXPECT_EQ(parameters[0].value.sizes(), at::IntArrayRef({4, 8, 5}));
  EXPECT_EQ(parameters[1].value.sizes(), at::IntArrayRef({24, 5}));
  EXPECT_EQ(parameters[2].value.sizes(), at::IntArrayRef({24}));
  const auto prompts = adapter->changes({}).vision.prompts;
  ASSERT_EQ(prompts.size(), 4u);
  EXPECT_TRUE(
      at::allclose(prompts[2].tokens,
                   parameters[0].value[2].matmul(parameters[1].value.t()) + parameters[2].value));
}

TEST(Vpt, DropsPromptValuesInTrainingOnly) {
  const auto adapter =
      make_vpt("vpt-deep", FakeBackbone::small(), {{"n-prompt", "100"}, {"dropout", "0.25"}});
  const at::Tensor all = adapter->parameters()[0].value[1];
  EXPECT_TRUE(adapter->changes({}).vision.prompts[1].tokens.equal(all));
  at::Generator noise = make_generator(5);
  const at::Tensor some =
      adapter->changes({.training = true, .noise = &noise}).vision.prompts[1].tokens;
  const at::Tensor dropped = some.eq(0);
  EXPECT_NEAR(dropped.to(at::kFloat).mean().item<double>(), 0.25, 0.03);
  EXPECT_TRUE(at::allclose(some, at::where(dropped, at::zeros_like(all), all / 0.75)));
  at::Generator same = make_generator(5);
  EXPECT_TRUE(
      some.equal(adapter->changes({.training = true, .noise = &same}).vision.prompts[1].tokens));
}

TEST(Vpt, DeepGivesPromptsToEveryImageLayer) {
  const sdk::BackboneChanges changes = make_vpt("vpt-deep", FakeBackbone::small())->changes({});
  EXPECT_TRUE(changes.text.prompts.empty());
  ASSERT_EQ(changes.vision.prompts.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(changes.vision.prompts[i].layer, static_cast<std::int64_t>(i));
    EXPECT_EQ(changes.vision.prompts[i].tokens.sizes(), at::IntArrayRef({8, 24}));
  }
}

TEST(Vpt, ShallowGivesPromptsToTheInputOnly) {
  const sdk::BackboneChanges changes =
      make_vpt("vpt-shallow", FakeBackbone::small(), {{"n-prompt", "3"}})->changes({});
  ASSERT_EQ(changes.vision.prompts.size(), 1u);
  EXPECT_EQ(changes.vision.prompts[0].layer, 0);
  EXPECT_EQ(changes.vision.prompts[0].tokens.sizes(), at::IntArrayRef({3, 24}));
}

TEST(Vpt, GradientsReachTheParameters) {
  const auto adapter = make_vpt("vpt-deep", FakeBackbone::small());
  adapter->changes({}).vision.prompts[2].tokens.sum().backward();
  const at::Tensor gradient = adapter->parameters()[0].value.grad();
  EXPECT_EQ(gradient[2].sum().item<double>(), 8 * 24);
  EXPECT_EQ(gradient.sum().item<double>(), 8 * 24);
}

TEST(Vpt, StartsAsTheOptionSays) {
  const at::Tensor normal =
      flat_parameters(*make_vpt("vpt-deep", FakeBackbone::small(), {{"n-prompt", "200"}}));
  EXPECT_NEAR(normal.std().item<double>(), 0.02, 0.001);
  const at::Tensor uniform = flat_parameters(
      *make_vpt("vpt-deep", FakeBackbone::small(), {{"n-prompt", "200"}, {"init", "xavier"}}));
  const double bound = std::sqrt(6.0 / (3 * 8 * 8 + 24));
  EXPECT_LE(uniform.abs().max().item<double>(), bound);
  EXPECT_NEAR(uniform.std().item<double>(), bound / std::sqrt(3.0), 0.01 * bound);
}

TEST(Vpt, StartsFromItsGeneratorAlone) {
  const FakeBackbone backbone = FakeBackbone::small();
  for (const char* init : {"normal", "xavier"}) {
    const GivenOptions given = {{"init", init}};
    const at::Tensor one = flat_parameters(*make_vpt("vpt-deep", backbone, given, 7));
    EXPECT_TRUE(one.equal(flat_parameters(*make_vpt("vpt-deep", backbone, given, 7))));
    EXPECT_FALSE(one.equal(flat_parameters(*make_vpt("vpt-deep", backbone, given, 8))));
  }
}

TEST(Vpt, RefusesMoreLayersThanTheTowerHas) {
  EXPECT_EQ(error_of(sdk::ErrorKind::config,
                     [] { (void)make_vpt("vpt-deep", FakeBackbone::small(), {{"depth", "5"}}); }),
            "method 'vpt-deep': option 'depth' is 5, expected at most 4, the layers of the image "
            "tower (0 stands for all)");
}

}  // namespace
}  // namespace petlab::tests
