#include "petlab/pretrain/optimizer.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace petlab::pretrain {
namespace {

std::vector<sdk::NamedTensor> parameters() {
  std::vector<sdk::NamedTensor> result{{"matrix", at::full({2, 2}, 3.0F)},
                                       {"vector", at::full({2}, -2.0F)}};
  for (sdk::NamedTensor& parameter : result)
    parameter.value.set_requires_grad(true);
  return result;
}

void take_step(const std::vector<sdk::NamedTensor>& values, Optimizer& optimizer) {
  at::Tensor loss = at::zeros({});
  for (const sdk::NamedTensor& parameter : values)
    loss = loss + parameter.value.pow(2).sum();
  loss.backward();
  (void)optimizer.step(0.1);
}

TEST(Schedule, WarmsUpAndFallsAsACosine) {
  EXPECT_DOUBLE_EQ(scheduled_rate(2.0, 0.1, 0.05), 1.0);
  EXPECT_DOUBLE_EQ(scheduled_rate(2.0, 0.1, 0.1), 2.0);
  EXPECT_NEAR(scheduled_rate(2.0, 0.1, 0.55), 1.0, 1e-12);
  EXPECT_DOUBLE_EQ(scheduled_rate(2.0, 0.1, 1.0), 0.002);
}

TEST(LayerRates, FallFromTheLastLayerDown) {
  const auto named = [](const char* name) { return sdk::NamedTensor{name, at::zeros({1})}; };
  const std::vector<sdk::NamedTensor> parameters{
      named("vision_model.embeddings.class_embedding"),
      named("vision_model.pre_layrnorm.weight"),
      named("vision_model.encoder.layers.0.mlp.fc1.weight"),
      named("vision_model.encoder.layers.2.mlp.fc1.weight"),
      named("text_model.encoder.layers.0.mlp.fc1.weight"),
      named("text_model.encoder.layers.1.mlp.fc1.weight"),
      named("visual_projection.weight"),
      named("head.table")};
  const std::vector<double> expected{0.125, 0.125, 0.25, 1, 0.5, 1, 1, 1};
  EXPECT_EQ(layer_rates(parameters, 0.5), expected);
}

TEST(Optimizer, MovesAParameterByItsRate) {
  const auto values = parameters();
  Optimizer optimizer(values, /*weight_decay=*/0.0, /*average_decay=*/0.9, {1.0, 0.25});
  take_step(values, optimizer);
  // AdamW's first step is as long as the learning rate.
  EXPECT_NEAR(values[0].value[0][0].item<double>(), 3.0 - 0.1, 1e-5);
  EXPECT_NEAR(values[1].value[0].item<double>(), -2.0 + 0.025, 1e-5);
}

TEST(Optimizer, GoesDownhillAndAveragesTheWeights) {
  const auto values = parameters();
  Optimizer optimizer(values, /*weight_decay=*/0.0, /*average_decay=*/0.999);
  for (int i = 0; i < 8; ++i)
    take_step(values, optimizer);
  EXPECT_LT(values[0].value.max().item<float>(), 2.5F);
  const float average = optimizer.average()[0].value.max().item<float>();
  EXPECT_LT(average, 3.0F);
  EXPECT_GT(average, values[0].value.max().item<float>());
}

TEST(Optimizer, GoesOnFromItsStateAsIfItHadNeverStopped) {
  const auto whole = parameters();
  Optimizer one(whole, 0.05, 0.9);
  for (int i = 0; i < 6; ++i)
    take_step(whole, one);

  const auto first = parameters();
  Optimizer before(first, 0.05, 0.9);
  for (int i = 0; i < 3; ++i)
    take_step(first, before);
  const auto second = parameters();
  Optimizer after(second, 0.05, 0.9);
  after.load_state(before.state());
  for (int i = 0; i < 3; ++i)
    take_step(second, after);

  EXPECT_EQ(after.steps(), 6);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_TRUE(second[i].value.equal(whole[i].value));
    EXPECT_TRUE(after.average()[i].value.equal(one.average()[i].value));
  }
}

TEST(Optimizer, RefusesAStateOfOtherShapesAndGradientsThatAreNotFinite) {
  const auto values = parameters();
  Optimizer optimizer(values, 0.0, 0.9);
  auto state = optimizer.state();
  state[0].value = at::zeros({3, 3});
  EXPECT_THROW(optimizer.load_state(state), base::Error);
  values[0].value.mutable_grad() = at::full({2, 2}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THROW((void)optimizer.step(0.1), base::Error);
}

}  // namespace
}  // namespace petlab::pretrain
