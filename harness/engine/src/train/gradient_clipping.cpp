#include "train/gradient_clipping.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace petlab::engine {

std::vector<std::vector<at::Tensor>> connected_parameters(const Adapters& adapters) {
  std::vector<std::size_t> list_of(adapters.parameters.size());
  std::iota(list_of.begin(), list_of.end(), 0U);
  const auto join = [&](std::size_t a, std::size_t b) {
    const std::size_t kept = std::min(list_of[a], list_of[b]);
    const std::size_t gone = std::max(list_of[a], list_of[b]);
    std::replace(list_of.begin(), list_of.end(), gone, kept);
  };
  for (const std::vector<std::size_t>& together : adapters.arrangement.of_task)
    for (const std::size_t adapter : together)
      join(together.front(), adapter);
  std::map<const void*, std::size_t> owner_of;
  for (std::size_t a = 0; a < adapters.parameters.size(); ++a)
    for (const sdk::NamedTensor& one : adapters.parameters[a])
      join(a, owner_of.try_emplace(one.value.unsafeGetTensorImpl(), a).first->second);

  std::map<std::size_t, std::vector<at::Tensor>> lists;
  for (std::size_t a = 0; a < adapters.parameters.size(); ++a)
    for (const sdk::NamedTensor& one : adapters.parameters[a])
      if (owner_of.at(one.value.unsafeGetTensorImpl()) == a) lists[list_of[a]].push_back(one.value);
  std::vector<std::vector<at::Tensor>> result;
  for (auto& [first, list] : lists)
    result.push_back(std::move(list));
  return result;
}

void clip_gradients(const std::vector<std::vector<at::Tensor>>& lists, double longest) {
  const at::NoGradGuard no_grad;
  for (const std::vector<at::Tensor>& list : lists) {
    std::vector<at::Tensor> gradients, norms;
    for (const at::Tensor& parameter : list) {
      if (!parameter.grad().defined()) continue;
      gradients.push_back(parameter.grad());
      norms.push_back(at::linalg_vector_norm(parameter.grad(), 2));
    }
    if (gradients.empty()) continue;
    const at::Tensor norm = at::linalg_vector_norm(at::stack(norms), 2);
    const at::Tensor factor = (longest / (norm + 1e-6)).clamp_max(1.0);
    for (at::Tensor& gradient : gradients)
      gradient.mul_(factor);
  }
}

}  // namespace petlab::engine
