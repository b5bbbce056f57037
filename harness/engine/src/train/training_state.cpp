#include "train/training_state.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <map>
#include <string>
#include <utility>

namespace petlab::engine {
namespace {

std::string parameter_name(std::size_t index) {
  return "parameter." + std::to_string(index);
}

}  // namespace

std::vector<std::pair<const char*, at::Generator>> TrainingState::generators() const {
  std::vector<std::pair<const char*, at::Generator>> all = {
      {"generator.noise", noise_}, {"generator.cpu", at::detail::getDefaultCPUGenerator()}};
  if (!device_.is_cpu())
    all.emplace_back("generator.device", at::globalContext().defaultGenerator(device_));
  return all;
}

std::vector<sdk::NamedTensor> TrainingState::tensors() const {
  std::vector<sdk::NamedTensor> result;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    result.push_back({parameter_name(i), parameters_[i].detach()});
  for (auto& tensor : optimizer_.state())
    result.push_back(std::move(tensor));
  for (auto& tensor : mean_.tensors())
    result.push_back(std::move(tensor));
  for (auto& [name, generator] : generators())
    result.push_back({name, generator.get_state()});
  return result;
}

void TrainingState::restore(const std::vector<sdk::NamedTensor>& tensors) {
  std::map<std::string, at::Tensor> by_name;
  for (const auto& [name, value] : tensors)
    by_name.emplace(name, value);
  const auto find = [&](const std::string& name) -> const at::Tensor& {
    const auto found = by_name.find(name);
    if (found == by_name.end())
      throw base::Error(base::ErrorKind::data, "the checkpoint has no tensor '" + name + "'");
    return found->second;
  };
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& value = find(parameter_name(i));
    if (value.sizes() != parameters_[i].sizes())
      throw base::Error(base::ErrorKind::data,
                        "tensor '" + parameter_name(i) + "' of the checkpoint has another size");
    parameters_[i].copy_(value);
  }
  optimizer_.set_state(tensors);
  for (const auto& [name, sum] : mean_.tensors()) {
    const at::Tensor& value = find(name);
    if (value.sizes() != sum.sizes())
      throw base::Error(base::ErrorKind::data,
                        "tensor '" + name + "' of the checkpoint has another size");
    sum.copy_(value);
  }
  for (auto& [name, generator] : generators())
    generator.set_state(find(name));
}

}  // namespace petlab::engine
