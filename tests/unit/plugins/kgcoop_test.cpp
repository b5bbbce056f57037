#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"
#include "petlab/sdk/training_adapter.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace petlab::tests {
namespace {

std::unique_ptr<sdk::Adapter> make_kgcoop(const sdk::BackboneView& backbone,
                                          const GivenOptions& given = {}, std::int64_t place = 0) {
  const auto method = make_method("kgcoop", "kgcoop", given);
  return method->make_adapter(FakeContext(backbone, 1, place));
}

TEST(KgCoop, CountsAsPublishedOnVitB16) {
  EXPECT_EQ(count_parameters(*make_kgcoop(FakeBackbone::vit_b16(), {{"weight", "0"}})), 2'048);
}

TEST(KgCoop, StartsFromTheWords) {
  const auto adapter = make_kgcoop(FakeBackbone::small());
  const at::Tensor context = adapter->parameters()[0].value;
  for (std::int64_t i = 0; i < 4; ++i)
    EXPECT_TRUE(context[i].eq(100.0 + static_cast<double>(i)).all().item<bool>());
  EXPECT_EQ(make_method("kgcoop", "kgcoop")->text_template(), "{}.");
}

TEST(KgCoop, ItsLossIsTheDistanceFromTheTextsOfTheTask) {
  // All rows of the fake backbone's features point one way.
  const FakeBackbone backbone = FakeBackbone::small();
  const std::int64_t width = backbone.shape().embed_dim;
  const at::Tensor same = at::full({2, width}, 1.0 / std::sqrt(static_cast<double>(width)));
  const at::Tensor opposite = -same;
  const auto loss = [&](const GivenOptions& given, const at::Tensor& texts) {
    const auto adapter = make_kgcoop(backbone, given);
    const sdk::TrainingAdapter* part = sdk::training_part(*adapter);
    EXPECT_EQ(part->step_tensors(), sdk::step_tensor::kTextFeatures);
    return part->loss({.task = 1, .text_features = texts}).item<double>();
  };
  EXPECT_NEAR(loss({}, same), 0.0, 1e-5);
  EXPECT_NEAR(loss({}, opposite), 8.0 * 2.0, 1e-5);
  EXPECT_NEAR(loss({{"distance", "squared"}, {"weight", "1"}}, opposite), 4.0, 1e-5);
}

TEST(KgCoop, OfTwoComposedAdaptersTheFirstHasTheLoss) {
  const FakeBackbone backbone = FakeBackbone::small();
  EXPECT_EQ(sdk::training_part(*make_kgcoop(backbone, {}, 1))->step_tensors(), 0U);
  EXPECT_EQ(sdk::training_part(*make_kgcoop(backbone, {{"weight", "0"}}))->step_tensors(), 0U);
}

TEST(KgCoop, RefusesATextWithoutAPlaceForTheName) {
  EXPECT_EQ(error_of(sdk::ErrorKind::config,
                     [] { (void)make_method("kgcoop", "kgcoop", {{"reference", "a cup"}}); }),
            "method 'kgcoop', option 'reference': option 'template' is 'a cup', expected a text "
            "with exactly one {} for the class name");
}

}  // namespace
}  // namespace petlab::tests
