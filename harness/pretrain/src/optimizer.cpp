#include "petlab/pretrain/optimizer.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>
#include <string_view>

namespace petlab::pretrain {

namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.98;
constexpr double kEpsilon = 1e-8;
constexpr double kLargestNorm = 1.0;
constexpr double kFinalShare = 1e-3;
/// The average is brought up to date every so many steps.
constexpr std::int64_t kAverageEvery = 4;

}  // namespace

double scheduled_rate(double peak, double warm_up, double progress) {
  if (progress < warm_up) return peak * std::max(progress / warm_up, kFinalShare);
  const double share = std::min(1.0, (progress - warm_up) / (1.0 - warm_up));
  return peak * std::max(kFinalShare, 0.5 * (1.0 + std::cos(std::numbers::pi * share)));
}

namespace {

constexpr std::string_view kLayers = ".encoder.layers.";

/// The layer that a weight's name says, -1 for embeddings, nothing for the rest.
std::optional<int> layer_of(const std::string& name) {
  if (name.find(".embeddings.") != std::string::npos ||
      name.find("pre_layrnorm") != std::string::npos)
    return -1;
  const std::size_t at = name.find(kLayers);
  if (at == std::string::npos) return std::nullopt;
  return std::stoi(name.substr(at + kLayers.size()));
}

std::string tower_of(const std::string& name) {
  return name.substr(0, name.find('.'));
}

}  // namespace

std::vector<double> layer_rates(const std::vector<sdk::NamedTensor>& parameters, double decay) {
  std::map<std::string, int> last;
  for (const sdk::NamedTensor& parameter : parameters)
    if (const auto layer = layer_of(parameter.name))
      last[tower_of(parameter.name)] = std::max(last[tower_of(parameter.name)], *layer);
  std::vector<double> rates;
  for (const sdk::NamedTensor& parameter : parameters) {
    const auto layer = layer_of(parameter.name);
    rates.push_back(layer ? std::pow(decay, last[tower_of(parameter.name)] - *layer) : 1.0);
  }
  return rates;
}

Optimizer::Optimizer(std::vector<sdk::NamedTensor> parameters, double weight_decay,
                     double average_decay, const std::vector<double>& rates)
    : parameters_(std::move(parameters)), average_decay_(average_decay) {
  std::map<std::pair<bool, double>, std::size_t> group_of;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const sdk::NamedTensor& parameter = parameters_[i];
    const at::Tensor value = parameter.value.detach();
    average_.push_back({parameter.name, value.clone()});
    first_moments_.push_back(at::zeros_like(value));
    second_moments_.push_back(at::zeros_like(value));
    const bool decays = value.dim() >= 2;
    const double rate = rates.empty() ? 1.0 : rates[i];
    const auto [found, is_new] = group_of.try_emplace({decays, rate}, groups_.size());
    if (is_new) groups_.push_back({.weight_decay = decays ? weight_decay : 0.0, .rate = rate});
    Group& group = groups_[found->second];
    group.parameters.push_back(parameter.value);
    group.first_moments.push_back(first_moments_.back());
    group.second_moments.push_back(second_moments_.back());
    group.steps.push_back(at::zeros({}, value.options()));
  }
}

double Optimizer::step(double learning_rate) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> norms;
  for (sdk::NamedTensor& parameter : parameters_) {
    if (!parameter.value.grad().defined())
      parameter.value.mutable_grad() = at::zeros_like(parameter.value);
    norms.push_back(parameter.value.grad().norm());
  }
  const double norm = at::stack(norms).norm().item<double>();
  if (!std::isfinite(norm))
    throw base::Error(
        base::ErrorKind::numeric,
        "the gradient of pretraining is not finite at step " + std::to_string(steps_));
  ++steps_;
  for (Group& group : groups_) {
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& parameter : group.parameters) {
      gradients.push_back(parameter.grad());
      if (norm > kLargestNorm) gradients.back().mul_(kLargestNorm / norm);
    }
    for (at::Tensor& step : group.steps)
      step.fill_(steps_);
    at::_fused_adamw_(group.parameters, gradients, group.first_moments, group.second_moments,
                      /*max_exp_avg_sqs=*/{}, group.steps, learning_rate * group.rate, kBeta1,
                      kBeta2, group.weight_decay, kEpsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
  zero_gradients();
  if (steps_ % kAverageEvery == 0) {
    // Young averages forget faster: at the start they would be all initial values.
    const double young = (1.0 + static_cast<double>(steps_)) / (10.0 + static_cast<double>(steps_));
    const double keep = std::pow(std::min(average_decay_, young), kAverageEvery);
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      average_[i].value.lerp_(parameters_[i].value.detach(), 1.0 - keep);
  }
  return norm;
}

void Optimizer::zero_gradients() {
  for (sdk::NamedTensor& parameter : parameters_)
    parameter.value.mutable_grad() = at::Tensor();
}

void Optimizer::for_each_tensor(const auto& visit) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& name = parameters_[i].name;
    visit("weight." + name, parameters_[i].value.detach());
    visit("average." + name, average_[i].value);
    visit("moment1." + name, first_moments_[i]);
    visit("moment2." + name, second_moments_[i]);
  }
}

std::vector<sdk::NamedTensor> Optimizer::state() const {
  std::vector<sdk::NamedTensor> state;
  for_each_tensor([&](const std::string& name, const at::Tensor& value) {
    state.push_back({name, value.cpu()});
  });
  state.push_back({"steps", at::scalar_tensor(steps_, at::kLong)});
  return state;
}

void Optimizer::load_state(const std::vector<sdk::NamedTensor>& state) {
  const c10::NoGradGuard no_grad;
  std::map<std::string, at::Tensor> by_name;
  for (const sdk::NamedTensor& entry : state)
    by_name[entry.name] = entry.value;
  const auto get = [&](const std::string& name) {
    const auto found = by_name.find(name);
    if (found == by_name.end())
      throw base::Error(base::ErrorKind::data, "the checkpoint has no '" + name +
                                                   "'; it belongs to other options, start afresh "
                                                   "without --resume");
    return found->second;
  };
  for_each_tensor([&](const std::string& name, const at::Tensor& value) {
    const at::Tensor stored = get(name);
    if (stored.sizes() != value.sizes())
      throw base::Error(base::ErrorKind::data,
                        "'" + name + "' of the checkpoint has another shape; " +
                            "it belongs to other options, start afresh " + "without --resume");
    value.copy_(stored);
  });
  steps_ = get("steps").item<std::int64_t>();
}

}  // namespace petlab::pretrain
