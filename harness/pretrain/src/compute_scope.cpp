#include "compute_scope.hpp"

#include "petlab/kernels/cpu_level.hpp"

#include <ATen/Context.h>

namespace petlab::pretrain {

c10::ScalarType compute_type(c10::Device device) {
  if (device.is_cuda()) return at::kBFloat16;
#if defined(__x86_64__)
  if (kernels::cpu_level() >= kernels::CpuLevel::avx512 && __builtin_cpu_supports("avx512bf16"))
    return at::kBFloat16;
#endif
  return at::kFloat;
}

PlainAttentionScope::PlainAttentionScope(c10::Device device) : applies_(device.is_cpu()) {
  if (!applies_) return;
  auto& context = at::globalContext();
  flash_ = context.userEnabledFlashSDP();
  reduced_ = context.allowFP16BF16ReductionMathSDP();
  context.setSDPUseFlash(false);
  context.setAllowFP16BF16ReductionMathSDP(true);
}

PlainAttentionScope::~PlainAttentionScope() {
  if (!applies_) return;
  auto& context = at::globalContext();
  context.setSDPUseFlash(flash_);
  context.setAllowFP16BF16ReductionMathSDP(reduced_);
}

}  // namespace petlab::pretrain
