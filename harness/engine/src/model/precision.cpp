#include "petlab/engine/precision.hpp"

#include "petlab/base/error.hpp"

#include <ATen/autocast_mode.h>

namespace petlab::engine {

AutocastScope::AutocastScope(c10::Device device, const std::string& precision)
    : device_(device.type()), active_(precision == "bf16") {
  if (!active_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, at::kBFloat16);
  at::autocast::increment_nesting();
}

AutocastScope::~AutocastScope() {
  if (!active_) return;
  // The cache holds bf16 copies of weights; it must not outlive an optimizer step.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
}

AutocastPause::AutocastPause(c10::Device device)
    : device_(device.type()), was_enabled_(at::autocast::is_autocast_enabled(device_)) {
  at::autocast::set_autocast_enabled(device_, false);
}

AutocastPause::~AutocastPause() {
  at::autocast::set_autocast_enabled(device_, was_enabled_);
}

void check_precision(const std::string& precision) {
  if (precision != "fp32" && precision != "bf16") {
    throw base::Error(base::ErrorKind::config,
                      "precision is '" + precision + "', expected one of fp32, bf16");
  }
}

}  // namespace petlab::engine
