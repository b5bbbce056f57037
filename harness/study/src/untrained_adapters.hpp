#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/sharing.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/sdk/method.hpp"

#include <memory>
#include <vector>

namespace petlab::study {

/// The adapters that a run starts with, made without its pictures: what can be known of them before
/// it. Training features are made up, and groups count as many as there can be. Throws what the
/// method throws for options that do not fit the backbone. `backbone` and `tasks` must outlive it.
struct UntrainedAdapters {
  std::unique_ptr<sdk::Method> method;
  engine::Adapters adapters;
};
[[nodiscard]] UntrainedAdapters untrained_adapters(const engine::RunSpec& spec,
                                                   const sdk::MethodEntry& entry,
                                                   const clip::Backbone& backbone,
                                                   const std::vector<engine::Task>& tasks);

}  // namespace petlab::study
