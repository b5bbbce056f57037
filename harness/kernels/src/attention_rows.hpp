#pragma once

#include "attention_kernel.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

/// What the kernels of attention share.
namespace petlab::kernels {

/// To a multiple of a vector's 16 numbers: rows of small matrices are padded so.
constexpr std::int64_t padded(std::int64_t n) {
  return (n + 15) / 16 * 16;
}

/// Memory of a thread, kept for its next head.
class Scratch {
 public:
  /// Room for `total` floats, all of it anew.
  void reset(std::int64_t total) {
    const auto wanted = static_cast<std::size_t>(total) + 16;
    if (memory_.size() < wanted) memory_.resize(wanted);
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    next_ = memory_.data() + (64 - address % 64) % 64 / sizeof(float);
  }
  float* take(std::int64_t n) {
    float* mine = next_;
    next_ += n;
    return mine;
  }

 private:
  std::vector<float> memory_;
  float* next_ = nullptr;
};

inline Scratch& scratch() {
  thread_local Scratch mine;
  return mine;
}

template <typename T>
std::int64_t seen_by(const HeadInputs<T>& in, std::int64_t query) {
  return in.shared + std::min(in.own, in.visible + query + 1);
}

/// The largest score of a query and the sum of exponentials of the differences to it.
struct RowSum {
  float largest;
  float sum;
};

}  // namespace petlab::kernels
