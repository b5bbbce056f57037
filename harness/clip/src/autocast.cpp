#include "petlab/clip/autocast.hpp"

#include <ATen/autocast_mode.h>

namespace petlab::clip {

AutocastGuard::AutocastGuard(c10::DeviceType device, bool is_enabled, at::ScalarType type)
    : device_(device),
      was_enabled_(at::autocast::is_autocast_enabled(device)),
      type_(at::autocast::get_autocast_dtype(device)) {
  at::autocast::set_autocast_enabled(device, is_enabled);
  at::autocast::set_autocast_dtype(device, type);
  at::autocast::increment_nesting();
}

AutocastGuard::~AutocastGuard() {
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, type_);
}

}  // namespace petlab::clip
