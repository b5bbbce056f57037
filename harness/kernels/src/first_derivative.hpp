#pragma once

#include "petlab/base/error.hpp"

#include <ATen/core/grad_mode.h>

#include <string>

namespace petlab::kernels {

/// For the backward pass of an operation whose gradient has none of its own: with gradients on,
/// that pass is to be differentiated itself, and would silently be taken for a constant.
inline void check_first_derivative(const char* operation) {
  if (at::GradMode::is_enabled())
    throw base::Error(base::ErrorKind::internal,
                      std::string("second derivatives of ") + operation +
                          " are not computed; use the first derivatives only");
}

}  // namespace petlab::kernels
