#include "petlab/core/optimizer.hpp"

#include "petlab/sdk/error.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace petlab::core {
namespace {

at::Tensor parameter(float value) {
  return at::full({2}, value).requires_grad_();
}

void set_gradient(at::Tensor& tensor, float value) {
  tensor.mutable_grad() = at::full({2}, value);
}

float first(const at::Tensor& tensor) {
  return tensor.detach()[0].item<float>();
}

// v = 0.9 v + (g + wd p), p -= lr v: momentum without dampening, not Nesterov's.
TEST(Optimizer, SgdIsThatOfThePublications) {
  Training training;
  training.learning_rate = 0.1;
  training.momentum = 0.9;
  training.weight_decay = 0.01;
  at::Tensor p = parameter(1.0F);
  Optimizer optimizer(training, {p});
  double value = 1.0;
  double velocity = 0.0;
  for (const double rate : {0.1, 0.1, 0.02}) {
    optimizer.set_learning_rate(rate);
    optimizer.zero_gradients();
    set_gradient(p, 0.5F);
    optimizer.step();
    velocity = 0.9 * velocity + 0.5 + 0.01 * value;
    value -= rate * velocity;
    EXPECT_NEAR(first(p), value, 1e-6);
  }
}

TEST(Optimizer, LeavesAloneWhatHasNoGradient) {
  for (const char* name : {"sgd", "adamw"}) {
    Training training;
    training.optimizer = name;
    training.learning_rate = 0.1;
    training.weight_decay = 0.5;
    at::Tensor used = parameter(1.0F);
    at::Tensor absent = parameter(1.0F);
    Optimizer optimizer(training, {used, absent});
    set_gradient(used, 1.0F);
    set_gradient(absent, 1.0F);
    optimizer.step();
    const float before = first(absent);
    EXPECT_NE(before, 1.0F);
    optimizer.zero_gradients();
    EXPECT_FALSE(absent.grad().defined());
    set_gradient(used, 1.0F);
    optimizer.step();
    EXPECT_EQ(first(absent), before) << name;
    EXPECT_LT(first(used), before) << name;
  }
}

TEST(Optimizer, NamesAnUnknownOne) {
  Training training;
  training.optimizer = "lion";
  try {
    const Optimizer optimizer(training, {parameter(1.0F)});
    FAIL();
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.kind(), sdk::ErrorKind::config);
    EXPECT_STREQ(error.what(), "optimizer is 'lion', expected one of sgd, adamw");
  }
}

}  // namespace
}  // namespace petlab::core
