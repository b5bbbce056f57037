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

}  // namespace petlab::engine
