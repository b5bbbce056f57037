#pragma once

#include "petlab/results/run_store.hpp"
#include "petlab/study/plan.hpp"
#include "petlab/study/worker.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace petlab::study {

/// How far a worker says that a run is.
struct OrderProgress {
  std::string host;
  std::string since;  ///< UTC
  std::string phase;
  std::int64_t done = 0, total = 0;  ///< of the phase; 0 and 0 where it does not say
};

/// Runs to be computed by whoever is called with their number, on any host that sees the folder:
///
///     orders.jsonl   a run a line, with all that a worker needs; lines have one length
///     runs           their identities, a line each
///     tasks          what a job of a scheduler computes, one behind the other: numbers of orders
///     base.sqlite    a store that holds nothing but the splits of the runs
///     spool/         results: RUN.ATTEMPT.sqlite, each whole or not there
///     state/         RUN.progress, RUN.failures, RUN.collected, and what was submitted
///     logs/          what workers print
///
/// Every file but those of spool/ and state/ is written once. No file is ever open in SQLite here:
/// the folder may lie on a network file system. All functions throw Error(store) naming the folder
/// when it cannot be used.
class OrderFolder {
 public:
  /// Opens a folder that write_orders() made.
  explicit OrderFolder(std::filesystem::path folder);

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  [[nodiscard]] std::filesystem::path base() const { return folder_ / "base.sqlite"; }
  [[nodiscard]] std::filesystem::path spool() const { return folder_ / "spool"; }
  [[nodiscard]] std::filesystem::path logs() const { return folder_ / "logs"; }
  [[nodiscard]] std::filesystem::path state() const { return folder_ / "state"; }

  /// Identities of the runs, by number of order.
  [[nodiscard]] const std::vector<std::string>& runs() const { return runs_; }
  /// Orders of each task of a scheduler.
  [[nodiscard]] std::vector<std::vector<std::size_t>> tasks() const;

  /// Throws Error(config) when there is no order of this number.
  [[nodiscard]] WorkerRequest order(std::size_t number) const;

  /// Identities of the runs that have a result, in the spool or collected.
  [[nodiscard]] std::set<std::string> results() const;

  /// Of those whose results were collected.
  [[nodiscard]] std::set<std::string> collected() const;
  [[nodiscard]] bool has_result(const std::string& run) const;

  /// Results that wait to be collected, by name; the first 64 digits of a name are the run.
  [[nodiscard]] std::vector<std::filesystem::path> shards() const;
  /// A name for a result that no other attempt of any host has.
  [[nodiscard]] std::filesystem::path new_shard(const std::string& run) const;
  /// The run's result is in the store: no worker begins it again.
  void mark_collected(const std::string& run) const;

  /// Keeps a failure that may be the host's and not the run's. Returns how many were kept so far.
  [[nodiscard]] std::size_t add_failure(const std::string& run, const std::string& reason) const;

  /// For people; never an error.
  void set_progress(const std::string& run, const OrderProgress& progress) const;
  [[nodiscard]] std::optional<OrderProgress> progress(const std::string& run) const;

 private:
  std::filesystem::path folder_;
  std::vector<std::string> runs_;
};

/// STORE.jobs: order folders lie in it as 1, 2, ...
[[nodiscard]] std::filesystem::path orders_place(const std::filesystem::path& store);

/// The order folders of a store, oldest first. One that was never finished is left out.
[[nodiscard]] std::vector<OrderFolder> order_folders(const std::filesystem::path& store);

/// A new folder for the jobs, which have been prepared (prepare_data()); `tasks` has each of their
/// numbers once. Checkpoints stay where `petlab run` keeps those of the store.
[[nodiscard]] OrderFolder write_orders(const results::RunStore& store, const std::vector<Job>& jobs,
                                       const std::vector<std::vector<std::size_t>>& tasks);

}  // namespace petlab::study
