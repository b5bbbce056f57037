#include "petlab/core/optimizer.hpp"

#include "petlab/sdk/error.hpp"

#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace petlab::core {

namespace {

constexpr std::string_view kPrefix = "optimizer.";

std::string buffer_name(std::size_t index, const char* buffer) {
  return std::string(kPrefix) + std::to_string(index) + "." + buffer;
}

}  // namespace

struct Optimizer::Impl {
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  std::vector<at::Tensor> parameters;
};

Optimizer::Optimizer(const Training& training, std::vector<at::Tensor> parameters)
    : impl_(std::make_unique<Impl>()) {
  impl_->parameters = parameters;
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

std::vector<sdk::NamedTensor> Optimizer::state() const {
  std::vector<sdk::NamedTensor> result;
  const auto& all = impl_->optimizer->state();
  for (std::size_t i = 0; i < impl_->parameters.size(); ++i) {
    const auto found = all.find(impl_->parameters[i].unsafeGetTensorImpl());
    if (found == all.end()) continue;
    if (const auto* sgd = dynamic_cast<torch::optim::SGDParamState*>(found->second.get())) {
      // Without momentum there is none.
      if (sgd->momentum_buffer().defined())
        result.push_back({buffer_name(i, "momentum"), sgd->momentum_buffer()});
    } else if (const auto* adam =
                   dynamic_cast<torch::optim::AdamWParamState*>(found->second.get())) {
      result.push_back({buffer_name(i, "step"), at::scalar_tensor(adam->step(), at::kLong)});
      result.push_back({buffer_name(i, "exp_avg"), adam->exp_avg()});
      result.push_back({buffer_name(i, "exp_avg_sq"), adam->exp_avg_sq()});
    }
  }
  return result;
}

void Optimizer::set_state(const std::vector<sdk::NamedTensor>& tensors) {
  auto& all = impl_->optimizer->state();
  std::map<std::size_t, std::map<std::string, at::Tensor>> by_parameter;
  for (const auto& [name, value] : tensors) {
    if (!name.starts_with(kPrefix)) continue;
    const std::size_t dot = name.find('.', kPrefix.size());
    std::size_t index = impl_->parameters.size();
    std::from_chars(name.data() + kPrefix.size(), name.data() + std::min(dot, name.size()), index);
    if (dot == std::string::npos || index >= impl_->parameters.size())
      throw sdk::Error(sdk::ErrorKind::data,
                       "buffer '" + name + "' of the checkpoint belongs to no parameter");
    const at::Tensor& parameter = impl_->parameters[index];
    if (value.dim() > 0 && value.sizes() != parameter.sizes())
      throw sdk::Error(sdk::ErrorKind::data,
                       "buffer '" + name + "' of the checkpoint has another size");
    by_parameter[index][name.substr(dot + 1)] = value.to(parameter.device(), value.scalar_type(),
                                                         /*non_blocking=*/false, /*copy=*/true);
  }
  for (auto& [index, buffers] : by_parameter) {
    void* const key = impl_->parameters[index].unsafeGetTensorImpl();
    if (buffers.contains("momentum")) {
      auto state = std::make_unique<torch::optim::SGDParamState>();
      state->momentum_buffer(buffers.at("momentum"));
      all[key] = std::move(state);
    } else {
      auto state = std::make_unique<torch::optim::AdamWParamState>();
      state->step(buffers.at("step").item<std::int64_t>());
      state->exp_avg(buffers.at("exp_avg"));
      state->exp_avg_sq(buffers.at("exp_avg_sq"));
      all[key] = std::move(state);
    }
  }
}

}  // namespace petlab::core
