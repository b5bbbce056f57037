#pragma once

#include "petlab/engine/run_checkpoint.hpp"

#include <nlohmann/json.hpp>

namespace petlab::engine {

/// What a checkpoint keeps of a run's record: epochs, costs, grouping and counts. Numbers survive
/// to the last bit.
[[nodiscard]] nlohmann::json record_to_json(const results::RunRecord& record);
/// Puts it back. Throws nlohmann::json::exception.
void record_from_json(const nlohmann::json& from, results::RunRecord& record);

[[nodiscard]] nlohmann::json cost_to_json(const results::PhaseCost& cost);
[[nodiscard]] results::PhaseCost cost_from_json(const nlohmann::json& from);

[[nodiscard]] nlohmann::json position_to_json(const TrainingPosition& position);
[[nodiscard]] TrainingPosition position_from_json(const nlohmann::json& from);

}  // namespace petlab::engine
