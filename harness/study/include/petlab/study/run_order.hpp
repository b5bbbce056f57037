#pragma once

#include "petlab/study/order_folder.hpp"
#include "petlab/study/study_runner.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace petlab::study {

/// What came of an order.
enum class OrderEnd {
  published,          ///< its result is in the spool, or was there or collected already
  failure_published,  ///< the same, and the run failed
  stopped,            ///< it has no result: call it again, here or on another host
};

struct OrderOptions {
  std::filesystem::path program;  ///< RunnerOptions::program
  /// For how long a result is offered to a spool that cannot be written.
  std::chrono::seconds patience = std::chrono::minutes(5);
  std::optional<std::chrono::seconds> run_timeout = {};
  std::optional<std::int64_t> memory_limit = {};
};

/// A failure of kind `device` or `store` is the host's as long as there were fewer of them for the
/// run: it is called again.
inline constexpr std::size_t kHostFailures = 3;

/// Computes one order of the folder and publishes its result. The run is recorded in a store with
/// its split of base.sqlite in the folder for temporary files (TMPDIR); its result comes into the
/// spool under a name of its own, written beside its place, synced and renamed. So neither locks
/// nor clocks of two hosts are ever compared, and two that compute one run do no harm. When `stop`
/// becomes true the run writes a checkpoint, from which the next call goes on.
///
/// Throws Error(store) when the folder, the spool or the folder for temporary files cannot be used
/// (the checkpoint stays), when this is not the petlab that wrote the orders, and when the order's
/// spec does not give its identity: its result would be another run's.
[[nodiscard]] OrderEnd run_order(const OrderFolder& folder, const WorkerRequest& order,
                                 const OrderOptions& options, StudyObserver& observer,
                                 const std::atomic<bool>& stop);

}  // namespace petlab::study
