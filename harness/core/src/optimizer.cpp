#include "petlab/core/optimizer.hpp"

#include "petlab/sdk/error.hpp"

#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

namespace petlab::core {

struct Optimizer::Impl {
  std::unique_ptr<torch::optim::Optimizer> optimizer;
};

Optimizer::Optimizer(const Training& training, std::vector<at::Tensor> parameters)
    : impl_(std::make_unique<Impl>()) {
  if (training.optimizer == "sgd") {
    impl_->optimizer = std::make_unique<torch::optim::SGD>(
        std::move(parameters), torch::optim::SGDOptions(training.learning_rate)
                                   .momentum(training.momentum)
                                   .weight_decay(training.weight_decay));
  } else if (training.optimizer == "adamw") {
    impl_->optimizer = std::make_unique<torch::optim::AdamW>(
        std::move(parameters),
        torch::optim::AdamWOptions(training.learning_rate).weight_decay(training.weight_decay));
  } else {
    throw sdk::Error(sdk::ErrorKind::config,
                     "optimizer is '" + training.optimizer + "', expected one of sgd, adamw");
  }
}

Optimizer::~Optimizer() = default;

void Optimizer::set_learning_rate(double learning_rate) {
  for (auto& group : impl_->optimizer->param_groups())
    group.options().set_lr(learning_rate);
}

void Optimizer::zero_gradients() {
  impl_->optimizer->zero_grad(/*set_to_none=*/true);
}

void Optimizer::step() {
  impl_->optimizer->step();
}

}  // namespace petlab::core
