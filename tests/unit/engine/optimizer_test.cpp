#include "petlab/engine/optimizer.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <cmath>
#include <memory>
#include <vector>

namespace petlab::engine {
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

TEST(Optimizer, TakesEachParametersShareOfTheRate) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
    Training training;
    training.optimizer = kind;
    training.weight_decay = 0.0;
    const auto trained = [&](double rate, const std::vector<double>& factors) {
      const std::vector<at::Tensor> own = {parameter(1.0F), parameter(1.0F), parameter(1.0F)};
      Optimizer optimizer(training, own, factors);
      optimizer.set_learning_rate(rate);
      for (int step = 0; step < 3; ++step) {
        for (at::Tensor tensor : own)
          set_gradient(tensor, 0.5F);
        optimizer.step();
      }
      return std::vector<float>{first(own[0]), first(own[1]), first(own[2])};
    };
    const float slow = trained(0.01, {})[0], fast = trained(0.04, {})[0];
    EXPECT_EQ(trained(0.01, {1.0, 4.0, 1.0}), (std::vector<float>{slow, fast, slow}));
    EXPECT_NE(slow, fast);
  }
}

TEST(Optimizer, LeavesAloneWhatHasNoGradient) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
    Training training;
    training.optimizer = kind;
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
    EXPECT_EQ(first(absent), before) << to_string(kind);
    EXPECT_LT(first(used), before) << to_string(kind);
  }
}

/// The updates as they stand in the publications, in double precision.
struct Reference {
  at::Tensor p, v, m, s;
  int steps = 0;

  explicit Reference(const at::Tensor& start)
      : p(start.detach().to(at::kDouble)),
        v(at::zeros_like(p)),
        m(at::zeros_like(p)),
        s(at::zeros_like(p)) {}

  void step(const Training& t, double rate, const at::Tensor& gradient) {
    const at::Tensor g = gradient.to(at::kDouble);
    ++steps;
    if (t.optimizer == OptimizerKind::sgd) {
      v = t.momentum * v + g + t.weight_decay * p;
      p = p - rate * v;
      return;
    }
    m = 0.9 * m + 0.1 * g;
    s = 0.999 * s + 0.001 * g * g;
    const at::Tensor mean = m / (1.0 - std::pow(0.9, steps));
    const at::Tensor square = s / (1.0 - std::pow(0.999, steps));
    p = p - rate * (mean / (square.sqrt() + 1e-8) + t.weight_decay * p);
  }
};

double largest(const at::Tensor& difference) {
  return difference.abs().max().item<double>();
}

// No further from the exact update than LibTorch's own optimizers, operation by operation.
TEST(Optimizer, IsAsNearToTheExactUpdateAsLibTorch) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
    for (const double momentum : {0.9, 0.0}) {
      Training training;
      training.optimizer = kind;
      training.momentum = momentum;
      training.learning_rate = 0.01;
      training.weight_decay = 0.05;
      at::Generator random = at::detail::createCPUGenerator(3);
      const at::Tensor start = at::randn({1031, 67}, random);
      // The second parameter lies in memory column by column, and so does one of the gradients.
      std::vector<at::Tensor> own = {start.clone().requires_grad_(),
                                     start.t().contiguous().t().requires_grad_()};
      ASSERT_FALSE(own[1].is_contiguous());
      at::Tensor theirs = start.clone().requires_grad_();
      Optimizer optimizer(training, own);
      std::unique_ptr<torch::optim::Optimizer> libtorch;
      if (training.optimizer == OptimizerKind::sgd)
        libtorch = std::make_unique<torch::optim::SGD>(
            std::vector{theirs},
            torch::optim::SGDOptions(0.01).momentum(momentum).weight_decay(0.05));
      else
        libtorch = std::make_unique<torch::optim::AdamW>(
            std::vector{theirs}, torch::optim::AdamWOptions(0.01).weight_decay(0.05));
      Reference exact(start);
      for (int step = 0; step < 25; ++step) {
        const double rate = step < 10 ? 0.01 : 0.003;
        optimizer.set_learning_rate(rate);
        for (auto& group : libtorch->param_groups())
          group.options().set_lr(rate);
        const at::Tensor gradient = at::randn({1031, 67}, random);
        own[0].mutable_grad() = gradient.clone();
        own[1].mutable_grad() = gradient.clone();
        theirs.mutable_grad() = gradient.clone();
        optimizer.step();
        libtorch->step();
        exact.step(training, rate, gradient);
      }
      const double error = largest(own[0].detach().to(at::kDouble) - exact.p);
      const double theirs_error = largest(theirs.detach().to(at::kDouble) - exact.p);
      EXPECT_LE(error, 1.5 * theirs_error + 1e-9) << to_string(kind) << " " << momentum;
      EXPECT_LT(error, 1e-5);
      EXPECT_LT(largest(own[1].detach() - own[0].detach()), 1e-5) << to_string(kind);
    }
  }
}

// A parameter whose first gradient comes late starts as one that comes first; the state can be
// moved into another optimizer at any moment.
TEST(Optimizer, GoesOnFromItsState) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
    Training training;
    training.optimizer = kind;
    training.learning_rate = 0.05;
    at::Generator random = at::detail::createCPUGenerator(4);
    std::vector<at::Tensor> one = {at::ones({9}).requires_grad_(), at::ones({9}).requires_grad_()};
    std::vector<at::Tensor> two = {at::ones({9}).requires_grad_(), at::ones({9}).requires_grad_()};
    Optimizer straight(training, one);
    auto stopped = std::make_unique<Optimizer>(training, two);
    for (int step = 0; step < 6; ++step) {
      straight.zero_gradients();
      stopped->zero_gradients();
      for (std::size_t i = 0; i < 2; ++i) {
        if (i == 1 && step < 2) continue;
        const at::Tensor gradient = at::randn({9}, random);
        one[i].mutable_grad() = gradient.clone();
        two[i].mutable_grad() = gradient.clone();
      }
      straight.step();
      stopped->step();
      const auto state = stopped->state();
      EXPECT_EQ(state.size(),
                (step < 2 ? 1U : 2U) * (training.optimizer == OptimizerKind::sgd ? 1U : 3U));
      stopped = std::make_unique<Optimizer>(training, two);
      stopped->set_state(state);
    }
    EXPECT_TRUE(one[0].equal(two[0]));
    EXPECT_TRUE(one[1].equal(two[1]));
  }
}

TEST(Optimizer, AdamPutsTheDecayIntoTheGradient) {
  Training training;
  training.optimizer = OptimizerKind::adam;
  training.learning_rate = 0.01;
  training.weight_decay = 0.1;
  training.epsilon = 1e-4;
  at::Tensor own = parameter(1.0F);
  at::Tensor theirs = parameter(1.0F);
  Optimizer optimizer(training, {own});
  torch::optim::Adam reference({theirs},
                               torch::optim::AdamOptions(0.01).weight_decay(0.1).eps(1e-4));
  double value = 1.0, first_moment = 0.0, second_moment = 0.0;
  for (int step = 1; step <= 4; ++step) {
    for (at::Tensor* tensor : {&own, &theirs})
      set_gradient(*tensor, 0.001F * static_cast<float>(step));
    // By hand: m / (1 - 0.9^t) / (sqrt(v / (1 - 0.999^t)) + eps).
    const double gradient = 0.001 * step + 0.1 * value;
    first_moment = 0.9 * first_moment + 0.1 * gradient;
    second_moment = 0.999 * second_moment + 0.001 * gradient * gradient;
    value -= 0.01 * (first_moment / (1 - std::pow(0.9, step))) /
             (std::sqrt(second_moment / (1 - std::pow(0.999, step))) + 1e-4);
    optimizer.step();
    reference.step();
    EXPECT_NEAR(first(own), value, 1e-6);
    EXPECT_NEAR(first(own), first(theirs), 1e-6);
  }
}

TEST(Optimizer, EpsilonIsAdamWsToo) {
  const auto trained = [](double epsilon) {
    Training training;
    training.optimizer = OptimizerKind::adamw;
    training.weight_decay = 0.0;
    training.learning_rate = 0.01;
    training.epsilon = epsilon;
    at::Tensor own = parameter(1.0F);
    Optimizer optimizer(training, {own});
    set_gradient(own, 1e-4F);
    optimizer.step();
    return 1.0 - first(own);
  };
  EXPECT_NEAR(trained(1e-8), 0.01, 1e-5);   // g / (|g| + 1e-8)
  EXPECT_NEAR(trained(1e-4), 0.005, 1e-5);  // g / (|g| + 1e-4)
}

}  // namespace
}  // namespace petlab::engine
