#pragma once

#include "command.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/protocol.hpp"

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace petlab::engine {
struct StoredAdapters;
}  // namespace petlab::engine

// What commands do with a run that is in a store: verify, evaluate, describe, export, clip
// classify, report --images.
namespace petlab::app {

/// The finished run whose identity begins with `prefix`. Throws Error(config) where there is none,
/// where there are several, and for a failed one: `cannot` ends that sentence ("can be verified").
[[nodiscard]] results::RunRecord find_run(const results::RunStore& store, const std::string& prefix,
                                          const std::string& cannot);

/// Where a run stands in a study's plan.
struct PlannedRun {
  results::StudyRecord study;
  results::PlannedRun run;
};

/// Throws Error(config) for a run that no study of the store plans.
[[nodiscard]] PlannedRun find_plan(const results::RunStore& store, const results::RunRecord& run);

/// The protocol of the run's study as it was planned, under the options of the command line.
[[nodiscard]] study::Protocol protocol_of(const PlannedRun& planned, const Parsed& options);

/// The resolved protocol of a study in a store; `overrides` replace its values.
[[nodiscard]] study::Protocol stored_protocol(const std::string& protocol,
                                              const std::vector<study::Setting>& overrides);

/// What is in the adapters of a run, for people: method, scopes, tensors with their shapes, texts,
/// classes.
void describe_adapters(std::ostream& out, const engine::StoredAdapters& adapters,
                       const std::filesystem::path& file, std::int64_t bytes);

}  // namespace petlab::app
