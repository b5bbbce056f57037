#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace petlab::clip {

/// While it lives, autocast of this thread on the device is on or off, and in this type. Its cache
/// of converted weights ends with the outermost one, so that it outlives no optimizer step.
class AutocastGuard {
 public:
  AutocastGuard(c10::DeviceType device, bool is_enabled, at::ScalarType type);
  ~AutocastGuard();
  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;

 private:
  c10::DeviceType device_;
  bool was_enabled_;
  at::ScalarType type_;
};

}  // namespace petlab::clip
