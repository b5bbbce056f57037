#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace petlab::pretrain {

/// bf16 where the device multiplies bf16 matrices in hardware, else fp32.
[[nodiscard]] c10::ScalarType compute_type(c10::Device device);

/// While it lives, attention on the CPU is done with plain matrix products: for short sequences in
/// bf16 torch's fused kernel is six times slower than these. Restores the settings at its end.
class PlainAttentionScope {
 public:
  explicit PlainAttentionScope(c10::Device device);
  ~PlainAttentionScope();
  PlainAttentionScope(const PlainAttentionScope&) = delete;
  PlainAttentionScope& operator=(const PlainAttentionScope&) = delete;

 private:
  bool applies_;
  bool flash_ = true;
  bool reduced_ = false;
};

}  // namespace petlab::pretrain
