#pragma once

#include <c10/core/ScalarType.h>

#include <string>

namespace petlab::engine {

/// Switches of LibTorch that belong to the host while a run is computed, as they decide a result's
/// bits: the number of threads, deterministic algorithms, the default type. (Who draws from the
/// default generators draws the same numbers in each process: set_up_torch() seeds them,
/// checkpoints hold the CPU's.)
class TorchState {
 public:
  /// Remembers them as they are now.
  TorchState();

  /// Throws Error(plugin) that says what a plugin has changed since. `method` opens the sentence.
  void check(const std::string& method) const;

 private:
  int threads_;
  bool is_deterministic_;
  c10::ScalarType default_type_;
};

}  // namespace petlab::engine
