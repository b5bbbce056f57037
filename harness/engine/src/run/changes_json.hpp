#pragma once

#include "petlab/sdk/changes.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>

namespace petlab::engine {

/// Puts a tensor where tensors are kept, and says how it is found there. `name`: its own in the
/// changes, e.g. "vision.low_ranks.3.down".
using KeepTensor = std::function<nlohmann::json(const at::Tensor& tensor, const std::string& name)>;
/// The way back.
using FindTensor = std::function<at::Tensor(const nlohmann::json& place)>;

/// All of the changes that evaluation needs, as JSON beside their tensors.
[[nodiscard]] nlohmann::json changes_to_json(const sdk::BackboneChanges& changes,
                                             const KeepTensor& keep);

/// Throws nlohmann::json::exception for JSON of another form, and what `find` throws.
[[nodiscard]] sdk::BackboneChanges changes_from_json(const nlohmann::json& from,
                                                     const FindTensor& find);

}  // namespace petlab::engine
