#pragma once

#include "petlab/results/run_store.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace petlab::study {

/// The runs that this process has taken from a store, so that no other process computes them too.
/// Leases are renewed well before they end; what is still held when the object dies is given back.
///
/// A process that stood still for longer than the leases last (a suspended machine) has lost those
/// that another process took meanwhile: keep() tells which.
class LeaseKeeper {
 public:
  /// Time since any fixed moment; has to go on while the machine sleeps.
  using Clock = std::function<std::chrono::milliseconds()>;

  /// `store` must outlive this object. `ttl`: how long a lease lasts without being renewed.
  LeaseKeeper(results::RunStore& store, std::string owner, std::chrono::milliseconds ttl,
              Clock clock = time_with_sleep);
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  /// Takes a run if it is free, or if the process that holds it is known to be dead
  /// (lease_owner.hpp). A lease that ran out is free too, unless a process of this machine holds it
  /// that is at work. Throws Error(store).
  [[nodiscard]] results::Claim claim(const std::string& identity);

  /// Who holds a run at the moment; nothing where nobody does.
  [[nodiscard]] std::optional<results::Lease> holder(const std::string& identity) const;

  /// Renews what is held, when it is time to (a quarter of the ttl since the last time). Returns
  /// the identities of runs that another process took: they are held no more. A store that cannot
  /// be written at the moment is no error before the leases have run out; then throws Error(store).
  [[nodiscard]] std::vector<std::string> keep();

  /// Gives a run back. Throws Error(store).
  void release(const std::string& identity);

  /// CLOCK_BOOTTIME, which counts the time of a suspended machine.
  [[nodiscard]] static std::chrono::milliseconds time_with_sleep();

 private:
  results::RunStore& store_;
  std::string owner_;
  std::chrono::milliseconds ttl_;
  Clock clock_;
  std::chrono::milliseconds renewed_;
  std::vector<std::string> held_;
};

}  // namespace petlab::study
