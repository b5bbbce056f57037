#pragma once

#include <atomic>

namespace petlab::engine {

/// When it becomes true, the run of this process writes a checkpoint after its next training step
/// and RunStopped is thrown. A process computes one run at a time, and it is a signal's handler
/// that sets this: so there is one of it.
inline std::atomic<bool> stop_request{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by signal handlers");

/// Thrown by execute_run() and run_guarded() when the run was asked to stop: what it needs to go on
/// is in its checkpoint, and it has no record. No exception that means a failure.
class RunStopped {};

}  // namespace petlab::engine
