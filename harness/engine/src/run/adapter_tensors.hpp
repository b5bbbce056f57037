#pragma once

#include "petlab/sdk/backbone.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <unordered_map>
#include <vector>

namespace petlab::engine {

/// Tensors on their way into a file: one that is asked for several times, as a parameter and in
/// what changes() makes of it, is there once, under its first name.
class TensorsToFile {
 public:
  /// Where the tensor will be found: its name, and how it lies in memory where that is not row by
  /// row from a round address. Kernels take their sums in an order that depends on it.
  [[nodiscard]] nlohmann::json keep(const at::Tensor& tensor, const std::string& name);

  [[nodiscard]] const std::vector<sdk::NamedTensor>& list() const { return list_; }

 private:
  std::vector<sdk::NamedTensor> list_;  ///< keeps them alive: no two have one address
  std::unordered_map<const c10::TensorImpl*, std::string> names_;
};

/// Tensors of a file, as they lay in memory when they were kept.
class TensorsOfFile {
 public:
  explicit TensorsOfFile(std::vector<sdk::NamedTensor> tensors);

  /// The tensor of a place that TensorsToFile::keep() gave. Throws Error(data) or
  /// nlohmann::json::exception where it makes no sense.
  [[nodiscard]] at::Tensor find(const nlohmann::json& place) const;

 private:
  std::unordered_map<std::string, at::Tensor> tensors_;
};

}  // namespace petlab::engine
