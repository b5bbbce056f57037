#pragma once

#include "bfloat16.hpp"

#include <cstdint>
#include <tuple>

namespace petlab::kernels {

/// quick_gelu of n numbers, for one thread. An element's place decides nothing.
template <typename T>
struct QuickGeluValues {
  /// y[i] = quick_gelu(x[i])
  void (*forward)(const T* x, T* y, std::int64_t n);
  /// out[i] = upstream[i] slope(x[i])
  void (*backward)(const T* x, const T* upstream, T* out, std::int64_t n);
};

/// For the types that a run has.
[[nodiscard]] std::tuple<QuickGeluValues<float>, QuickGeluValues<Bfloat16>> quick_gelu_values();

}  // namespace petlab::kernels
