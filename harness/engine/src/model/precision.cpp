#include "petlab/engine/precision.hpp"

#include <ATen/autocast_mode.h>

namespace petlab::engine {

AutocastScope::AutocastScope(c10::Device device, Precision precision) {
  if (precision == Precision::bf16)
    guard_.emplace(device.type(), /*is_enabled=*/true, at::kBFloat16);
}

AutocastPause::AutocastPause(c10::Device device)
    : device_(device.type()), was_enabled_(at::autocast::is_autocast_enabled(device_)) {
  at::autocast::set_autocast_enabled(device_, false);
}

AutocastPause::~AutocastPause() {
  at::autocast::set_autocast_enabled(device_, was_enabled_);
}

}  // namespace petlab::engine
