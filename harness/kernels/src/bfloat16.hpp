#pragma once

namespace petlab::kernels {

/// The upper half of a float, as LibTorch stores it.
struct Bfloat16 {
  unsigned short bits;
};

}  // namespace petlab::kernels
