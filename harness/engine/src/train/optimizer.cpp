#include "petlab/engine/optimizer.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace petlab::engine {

namespace {

constexpr std::string_view kPrefix = "optimizer.";

// Adam's and AdamW's, as in their publications and in LibTorch.
constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;

std::string buffer_name(std::size_t index, const char* buffer) {
  return std::string(kPrefix) + std::to_string(index) + "." + buffer;
}

/// The tensors of the parameters that have a gradient, as the fused updates take them.
struct Lists {
  std::vector<at::Tensor> parameters, gradients, momenta, exp_avgs, exp_avg_sqs, steps;
};

}  // namespace

struct Optimizer::Impl {
  /// A parameter with its buffers; undefined until its first gradient.
  struct Slot {
    at::Tensor parameter;
    double rate_factor = 1.0;
    at::Tensor momentum;             ///< SGD; undefined without momentum
    at::Tensor exp_avg, exp_avg_sq;  ///< Adam, AdamW
    at::Tensor step;                 ///< Adam, AdamW: float scalar
    bool has_state = false;
  };

  OptimizerKind kind = OptimizerKind::sgd;
  bool is_sgd = true;
  double learning_rate = 0.0;
  double weight_decay = 0.0;
  double momentum = 0.0;
  double epsilon = 0.0;
  std::vector<Slot> slots;
  std::set<double> rate_factors;  ///< each once

  /// Buffers of a parameter that gets its first gradient.
  void begin(Slot& slot) const {
    slot.has_state = true;
    if (is_sgd) {
      // v = m 0 + g is the first velocity of the publications.
      if (momentum != 0.0) slot.momentum = at::zeros_like(slot.parameter);
    } else {
      slot.exp_avg = at::zeros_like(slot.parameter);
      slot.exp_avg_sq = at::zeros_like(slot.parameter);
      slot.step = at::zeros({}, slot.parameter.options().dtype(at::kFloat));
    }
  }

  /// Of the parameters whose learning rate has this factor.
  [[nodiscard]] Lists lists(double rate_factor) {
    Lists lists;
    for (Slot& slot : slots) {
      if (slot.rate_factor != rate_factor) continue;
      at::Tensor gradient = slot.parameter.grad();
      if (!gradient.defined()) continue;
      if (!slot.has_state) begin(slot);
      // The fused updates go through memory as it lies.
      if (gradient.strides() != slot.parameter.strides())
        gradient = at::empty_like(slot.parameter).copy_(gradient);
      lists.parameters.push_back(slot.parameter.detach());
      lists.gradients.push_back(gradient.detach());
      if (slot.momentum.defined()) lists.momenta.push_back(slot.momentum);
      if (is_sgd) continue;
      lists.exp_avgs.push_back(slot.exp_avg);
      lists.exp_avg_sqs.push_back(slot.exp_avg_sq);
      lists.steps.push_back(slot.step);
    }
    return lists;
  }
};

Optimizer::Optimizer(const Training& training, std::vector<at::Tensor> parameters,
                     const std::vector<double>& rate_factors)
    : impl_(std::make_unique<Impl>()) {
  impl_->kind = training.optimizer;
  impl_->is_sgd = training.optimizer == OptimizerKind::sgd;
  impl_->epsilon = training.epsilon;
  impl_->learning_rate = training.learning_rate;
  impl_->weight_decay = training.weight_decay;
  impl_->momentum = training.momentum;
  if (!rate_factors.empty() && rate_factors.size() != parameters.size())
    throw base::Error(base::ErrorKind::internal, "an optimizer with other factors than parameters");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    at::Tensor& parameter = parameters[i];
    const double factor = rate_factors.empty() ? 1.0 : rate_factors[i];
    impl_->rate_factors.insert(factor);
    if (!parameter.is_non_overlapping_and_dense())
      throw base::Error(base::ErrorKind::plugin,
                        "a trainable parameter has gaps in memory, expected a whole tensor");
    impl_->slots.push_back({.parameter = std::move(parameter),
                            .rate_factor = factor,
                            .momentum = {},
                            .exp_avg = {},
                            .exp_avg_sq = {},
                            .step = {}});
  }
}

Optimizer::~Optimizer() = default;

void Optimizer::set_learning_rate(double learning_rate) {
  impl_->learning_rate = learning_rate;
}

void Optimizer::zero_gradients() {
  for (Impl::Slot& slot : impl_->slots)
    slot.parameter.mutable_grad().reset();
}

void Optimizer::step() {
  const at::NoGradGuard no_grad;
  const Impl& own = *impl_;
  for (const double factor : own.rate_factors) {
    const double learning_rate = factor * own.learning_rate;
    Lists lists = impl_->lists(factor);
    if (lists.parameters.empty()) continue;
    if (own.is_sgd) {
      at::_fused_sgd_(lists.parameters, lists.gradients, lists.momenta, own.weight_decay,
                      own.momentum, learning_rate, /*dampening=*/0.0, /*nesterov=*/false,
                      /*maximize=*/false, /*is_first_step=*/false);
    } else {
      at::_foreach_add_(lists.steps, 1);
      const auto step = [&](auto update) {
        update(lists.parameters, lists.gradients, lists.exp_avgs, lists.exp_avg_sqs,
               /*max_exp_avg_sqs=*/at::TensorList{}, lists.steps, learning_rate, kBeta1, kBeta2,
               own.weight_decay, own.epsilon, /*amsgrad=*/false, /*maximize=*/false);
      };
      if (own.kind == OptimizerKind::adamw)
        step([](auto&&... values) { at::_fused_adamw_(values...); });
      else
        step([](auto&&... values) { at::_fused_adam_(values...); });
    }
  }
}

std::vector<sdk::NamedTensor> Optimizer::state() const {
  std::vector<sdk::NamedTensor> result;
  for (std::size_t i = 0; i < impl_->slots.size(); ++i) {
    const Impl::Slot& slot = impl_->slots[i];
    if (slot.momentum.defined()) result.push_back({buffer_name(i, "momentum"), slot.momentum});
    if (!slot.step.defined()) continue;
    result.push_back({buffer_name(i, "step"), slot.step.to(at::kCPU, at::kLong)});
    result.push_back({buffer_name(i, "exp_avg"), slot.exp_avg});
    result.push_back({buffer_name(i, "exp_avg_sq"), slot.exp_avg_sq});
  }
  return result;
}

void Optimizer::set_state(const std::vector<sdk::NamedTensor>& tensors) {
  std::map<std::size_t, std::map<std::string, at::Tensor>> by_parameter;
  for (const auto& [name, value] : tensors) {
    if (!name.starts_with(kPrefix)) continue;
    const std::size_t dot = name.find('.', kPrefix.size());
    std::size_t index = impl_->slots.size();
    std::from_chars(name.data() + kPrefix.size(), name.data() + std::min(dot, name.size()), index);
    if (dot == std::string::npos || index >= impl_->slots.size())
      throw base::Error(base::ErrorKind::data,
                        "buffer '" + name + "' of the checkpoint belongs to no parameter");
    const at::Tensor& parameter = impl_->slots[index].parameter;
    if (value.dim() > 0 && value.sizes() != parameter.sizes())
      throw base::Error(base::ErrorKind::data,
                        "buffer '" + name + "' of the checkpoint has another size");
    // Buffers lie in memory as their parameter does.
    by_parameter[index][name.substr(dot + 1)] =
        value.dim() > 0 ? at::empty_like(parameter).detach().copy_(value)
                        : value.to(parameter.device(), at::kFloat);
  }
  for (auto& [index, buffers] : by_parameter) {
    Impl::Slot& slot = impl_->slots[index];
    slot.has_state = true;
    if (buffers.contains("momentum")) {
      slot.momentum = buffers.at("momentum");
    } else {
      slot.step = buffers.at("step");
      slot.exp_avg = buffers.at("exp_avg");
      slot.exp_avg_sq = buffers.at("exp_avg_sq");
    }
  }
}

}  // namespace petlab::engine
