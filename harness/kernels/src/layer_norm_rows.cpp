#include "layer_norm_rows.hpp"

#include <cmath>

// clang-format off: Highway asks for this order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "layer_norm_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "vectors-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace petlab::kernels {
namespace HWY_NAMESPACE {

template <typename Stream, typename Branch, typename Out>
RowNumbers forward_row(const Stream* x, const Branch* branch, const float* weight,
                       const float* bias, std::int64_t width, float eps, Stream* sum, Out* normed) {
  const Stream* row = x;
  Vector total = zeros();
  for (std::int64_t j = 0; j < width; j += kWidth) {
    const std::int64_t n = width - j;
    Vector value = load_first(n, x + j);
    if (branch != nullptr) {
      store_first(n, value + load_first(n, branch + j), sum + j);
      value = load_first(n, sum + j);
    }
    total = total + value;
  }
  if (branch != nullptr) row = sum;
  const float mean = sum_of(total) / static_cast<float>(width);
  const Vector center = broadcast(mean);
  Vector squares = zeros();
  for (std::int64_t j = 0; j < width; j += kWidth) {
    const std::int64_t n = width - j;
    const Vector d = keep_first(n, load_first(n, row + j) - center);
    squares = multiply_add(d, d, squares);
  }
  const float scale = 1.0F / std::sqrt(sum_of(squares) / static_cast<float>(width) + eps);
  const Vector factor = broadcast(scale);
  for (std::int64_t j = 0; j < width; j += kWidth) {
    const std::int64_t n = width - j;
    const Vector unit = (load_first(n, row + j) - center) * factor;
    store_first(n, multiply_add(unit, load_first(n, weight + j), load_first(n, bias + j)),
                normed + j);
  }
  return {mean, scale};
}

template <typename Stream, typename Branch, typename Out>
void backward_row(const Stream* row, const float* weight, RowNumbers numbers, const Stream* along,
                  const Out* upstream, std::int64_t width, Stream* gradient,
                  Branch* branch_gradient) {
  const Vector center = broadcast(numbers.mean);
  const Vector factor = broadcast(numbers.scale);
  Vector total = zeros();
  Vector along_unit = zeros();
  for (std::int64_t j = 0; j < width; j += kWidth) {
    const std::int64_t n = width - j;
    const Vector g = load_first(n, upstream + j) * load_first(n, weight + j);
    const Vector unit = (load_first(n, row + j) - center) * factor;
    total = total + g;
    along_unit = multiply_add(g, unit, along_unit);
  }
  const Vector mean = broadcast(sum_of(total) / static_cast<float>(width));
  const Vector slope = broadcast(sum_of(along_unit) / static_cast<float>(width));
  for (std::int64_t j = 0; j < width; j += kWidth) {
    const std::int64_t n = width - j;
    const Vector g = load_first(n, upstream + j) * load_first(n, weight + j);
    const Vector unit = (load_first(n, row + j) - center) * factor;
    Vector d = factor * subtract_product(unit, slope, g - mean);
    if (along != nullptr) d = d + load_first(n, along + j);
    store_first(n, d, gradient + j);
    if (branch_gradient != nullptr) store_first(n, d, branch_gradient + j);
  }
}

template <typename Stream, typename Out>
void add_parameters(const Stream* row, RowNumbers numbers, const Out* upstream, std::int64_t width,
                    float* weight_gradient, float* bias_gradient) {
  const Vector center = broadcast(numbers.mean);
  const Vector factor = broadcast(numbers.scale);
  for (std::int64_t j = 0; j < width; j += kWidth) {
    const std::int64_t n = width - j;
    const Vector g = load_first(n, upstream + j);
    const Vector unit = (load_first(n, row + j) - center) * factor;
    store_first(n, multiply_add(g, unit, load_first(n, weight_gradient + j)), weight_gradient + j);
    store_first(n, g + load_first(n, bias_gradient + j), bias_gradient + j);
  }
}

template <typename Stream, typename Branch, typename Out>
constexpr LayerNormRow<Stream, Branch, Out> row_of() {
  return {forward_row<Stream, Branch, Out>, backward_row<Stream, Branch, Out>,
          add_parameters<Stream, Out>};
}

LayerNormRows rows() {
  return {row_of<float, float, float>(), row_of<float, float, Bfloat16>(),
          row_of<float, Bfloat16, float>(), row_of<float, Bfloat16, Bfloat16>(),
          row_of<Bfloat16, Bfloat16, Bfloat16>()};
}

}  // namespace HWY_NAMESPACE
}  // namespace petlab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace petlab::kernels {

HWY_EXPORT(rows);

LayerNormRows layer_norm_rows() {
  return HWY_DYNAMIC_DISPATCH(rows)();
}

}  // namespace petlab::kernels
#endif
