#pragma once

#include "petlab/results/record.hpp"

#include <c10/core/Device.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace petlab::engine {

/// Measures the phases of a run, one after the other. A phase ends after the device has finished
/// its work. Peaks: of the host's memory since the process began, of the device's since the phase
/// began.
class CostLog {
 public:
  CostLog(c10::Device device, std::vector<results::PhaseCost>& costs)
      : device_(device), costs_(costs) {}

  void begin(const std::string& phase);
  /// Goes on with a phase of which `earlier` was spent before, perhaps by another process.
  void resume(const results::PhaseCost& earlier);

  /// What the open phase has cost so far, with `images` through the image tower in this process.
  [[nodiscard]] results::PhaseCost so_far(std::int64_t images) const;

  /// Ends the phase, if one is open. `images` went through the image tower in it.
  void end(std::int64_t images);

 private:
  using Clock = std::chrono::steady_clock;

  c10::Device device_;
  std::vector<results::PhaseCost>& costs_;
  results::PhaseCost earlier_;  ///< names the open phase; "" for none
  Clock::time_point start_;
};

/// Largest resident size of this process so far, in bytes.
[[nodiscard]] std::int64_t peak_host_bytes();

}  // namespace petlab::engine
