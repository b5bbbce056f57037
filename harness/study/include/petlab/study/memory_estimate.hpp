#pragma once

#include "petlab/engine/run_spec.hpp"

#include <cstdint>
#include <vector>

namespace petlab::clip {
class Backbone;
}  // namespace petlab::clip
namespace petlab::engine {
struct Task;
}  // namespace petlab::engine
namespace petlab::sdk {
struct MethodEntry;
}  // namespace petlab::sdk

namespace petlab::study {

/// Host memory that a run on the CPU is expected to hold at its peak, in bytes, from shapes alone.
/// Decoded pictures, which are mapped and which the system drops when it needs room, are left out.
struct MemoryEstimate {
  std::int64_t program = 0;     ///< libraries, plugins, tokenizer
  std::int64_t weights = 0;     ///< of the frozen backbone
  std::int64_t trained = 0;     ///< parameters, gradients, the optimizer's buffers
  std::int64_t step = 0;        ///< what a training step keeps of both towers for its gradients
  std::int64_t evaluation = 0;  ///< what a test batch holds, with the texts of all classes

  [[nodiscard]] std::int64_t total() const;
};

/// The estimate of one run: makes the method and one adapter, and asks it what it changes. `tasks`
/// need names and classes only. Groups count as many as there can be. Throws what the method throws
/// for options that do not fit the backbone.
///
/// Right within a factor of 1.6 either way on the embedded backbone, by the test in
/// tests/integration/memory_test.cpp.
[[nodiscard]] MemoryEstimate estimate_memory(const engine::RunSpec& spec,
                                             const sdk::MethodEntry& method,
                                             const clip::Backbone& backbone,
                                             const std::vector<engine::Task>& tasks);

/// Memory of this machine, or of the part of it that this process may use: bytes, 0 when unknown.
[[nodiscard]] std::int64_t machine_memory();

}  // namespace petlab::study
