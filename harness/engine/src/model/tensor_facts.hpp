#pragma once

#include <ATen/ATen.h>

#include <sstream>
#include <string>

namespace petlab::engine {

/// "Float [2, 16] on cpu", for messages.
inline std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined tensor";
  std::ostringstream text;
  text << at::toString(tensor.scalar_type()) << " " << tensor.sizes() << " on " << tensor.device();
  return text.str();
}

/// True also for an undefined tensor.
inline bool is_finite(const at::Tensor& tensor) {
  return !tensor.defined() || at::isfinite(tensor).all().item<bool>();
}

}  // namespace petlab::engine
