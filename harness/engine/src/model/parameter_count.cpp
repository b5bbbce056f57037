#include "petlab/engine/parameter_count.hpp"

#include "petlab/base/sha256.hpp"

#include <ATen/ATen.h>

#include <span>
#include <unordered_set>

namespace petlab::engine {

std::vector<results::ParameterCount> count_parameters(const Adapters& adapters,
                                                      const clip::Backbone& backbone) {
  std::vector<results::ParameterCount> counts;
  std::unordered_set<const void*> counted;
  for (std::size_t a = 0; a < adapters.parameters.size(); ++a) {
    const Owner& owner = adapters.arrangement.owners[a];
    results::ParameterCount& count = counts.emplace_back(
        results::ParameterCount{std::string(to_string(owner.scope)), owner.name});
    for (const auto& [name, value] : adapters.parameters[a]) {
      const at::Storage& storage = value.storage();
      if (value.numel() == 0 || !counted.insert(storage.unsafeGetStorageImpl()).second) continue;
      count.trainable += value.numel();
      count.stored_bytes += value.numel() * static_cast<std::int64_t>(value.element_size());
    }
  }
  std::int64_t frozen_bytes = 0;
  for (const auto& [name, value] : backbone.weights()) {
    frozen_bytes += value.numel() * static_cast<std::int64_t>(value.element_size());
  }
  counts.push_back({"frozen", "backbone", 0, frozen_bytes});
  return counts;
}

std::string trained_hash(const Adapters& adapters) {
  if (adapters.trainable().empty()) return "";
  base::Sha256 hash;
  for (std::size_t a = 0; a < adapters.parameters.size(); ++a) {
    const Owner& owner = adapters.arrangement.owners[a];
    hash.update_text(to_string(owner.scope));
    hash.update_text(owner.name);
    for (const auto& [name, value] : adapters.parameters[a]) {
      hash.update_text(name);
      for (const std::int64_t size : value.sizes())
        hash.update_text(std::to_string(size));
      const at::Tensor bytes = value.detach().to(at::kCPU).contiguous().view({-1}).view(at::kByte);
      hash.update({bytes.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(bytes.numel())});
    }
  }
  return hash.finish_hex();
}

}  // namespace petlab::engine
