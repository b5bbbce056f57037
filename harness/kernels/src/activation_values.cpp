#include "activation_values.hpp"

// clang-format off: Highway asks for this order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "activation_values.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "vectors-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace petlab::kernels {
namespace HWY_NAMESPACE {

template <typename T>
void values(const T* x, T* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kWidth)
    store_first(n - i, quick_gelu(load_first(n - i, x + i)), y + i);
}

template <typename T>
void slopes(const T* x, const T* upstream, T* out, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kWidth)
    store_first(n - i, quick_gelu_slope(load_first(n - i, x + i)) * load_first(n - i, upstream + i),
                out + i);
}

std::tuple<QuickGeluValues<float>, QuickGeluValues<Bfloat16>> functions() {
  return {{values<float>, slopes<float>}, {values<Bfloat16>, slopes<Bfloat16>}};
}

}  // namespace HWY_NAMESPACE
}  // namespace petlab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace petlab::kernels {

HWY_EXPORT(functions);

std::tuple<QuickGeluValues<float>, QuickGeluValues<Bfloat16>> quick_gelu_values() {
  return HWY_DYNAMIC_DISPATCH(functions)();
}

}  // namespace petlab::kernels
#endif
