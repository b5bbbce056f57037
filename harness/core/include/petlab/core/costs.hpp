#pragma once

#include "petlab/results/record.hpp"

#include <c10/core/Device.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace petlab::core {

/// Measures the phases of a run, one after the other. A phase ends after the device has finished
/// its work. Peaks: of the host's memory since the process began, of the device's since the phase
/// began.
class CostLog {
 public:
  CostLog(c10::Device device, std::vector<results::PhaseCost>& costs)
      : device_(device), costs_(costs) {}

  void begin(const std::string& phase);

  /// Ends the phase, if one is open. `images` went through the image tower in it.
  void end(std::int64_t images);

 private:
  using Clock = std::chrono::steady_clock;

  c10::Device device_;
  std::vector<results::PhaseCost>& costs_;
  std::string phase_;
  Clock::time_point start_;
};

/// Largest resident size of this process so far, in bytes.
[[nodiscard]] std::int64_t peak_host_bytes();

}  // namespace petlab::core
