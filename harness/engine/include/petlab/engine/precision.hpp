#pragma once

#include "petlab/clip/autocast.hpp"
#include "petlab/engine/run_spec.hpp"

#include <c10/core/Device.h>

#include <optional>

namespace petlab::engine {

/// While it lives, forward passes of this thread compute in the given precision: fp32 as they are,
/// bf16 under autocast. Backward passes belong outside.
class AutocastScope {
 public:
  AutocastScope(c10::Device device, Precision precision);

 private:
  std::optional<clip::AutocastGuard> guard_;
};

/// While it lives, work of this thread computes in fp32 as it is, inside an AutocastScope too: what
/// adapters make of their fp32 parameters is fp32 whatever the towers compute in.
class AutocastPause {
 public:
  explicit AutocastPause(c10::Device device);
  ~AutocastPause();
  AutocastPause(const AutocastPause&) = delete;
  AutocastPause& operator=(const AutocastPause&) = delete;

 private:
  c10::DeviceType device_;
  bool was_enabled_;
};

}  // namespace petlab::engine
