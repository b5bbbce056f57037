#include "attention_kernel.hpp"

#include <algorithm>
#include <cmath>

// clang-format off: Highway asks for this order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "attention_rows-inl.hpp"
#include "small_product-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace petlab::kernels {
namespace HWY_NAMESPACE {

/// Copies rows of `width` to neighbouring rows of floats, times `scale`.
template <typename T>
void copy_rows(Rows<const T> from, std::int64_t n, std::int64_t width, float scale, float* to) {
  for (std::int64_t i = 0; i < n; ++i)
    copy_scaled(from.first + i * from.step, width, scale, to + i * width);
}

/// Keys or values, the shared ones first: [shared + own, width].
template <typename T>
void copy_keys(const HeadInputs<T>& in, Rows<const T> shared, Rows<const T> own, float* to) {
  copy_rows(shared, in.shared, in.width, 1.0F, to);
  copy_rows(own, in.own, in.width, 1.0F, to + in.shared * in.width);
}

/// Scores -> probabilities p in `scores`, gradients of the probabilities g -> gradients of the
/// scores p (g - sum of p g).
void softmax_backward(float* scores, float* gradients, float log_sum, std::int64_t seen,
                      std::int64_t padded) {
  const Vector offset = broadcast(log_sum);
  Vector sum = zeros();
  for (std::int64_t j = 0; j < padded; j += kWidth) {
    const Vector p = keep_first(seen - j, exp_of(load(scores + j) - offset));
    store(p, scores + j);
    sum = multiply_add(p, load(gradients + j), sum);
  }
  const Vector mean = broadcast(sum_of(sum));
  for (std::int64_t j = 0; j < padded; j += kWidth)
    store(load(scores + j) * (load(gradients + j) - mean), gradients + j);
}

template <typename T>
void head_forward(const HeadInputs<T>& in, Rows<T> out, float* log_sums) {
  const std::int64_t keys = in.shared + in.own;
  const std::int64_t padded_keys = padded(keys);
  const std::int64_t width = in.width;
  Scratch& memory = scratch();
  memory.reset((in.queries + 2 * padded_keys) * width + in.queries * (padded_keys + 16) + 16);
  float* query = memory.take(in.queries * width);
  float* key = memory.take(padded_keys * width);
  float* other = memory.take(padded_keys * width);
  float* scores = memory.take(in.queries * padded_keys);
  float* inverse_sums = memory.take(in.queries);
  copy_rows(in.query, in.queries, width, 1.0F / std::sqrt(static_cast<float>(width)), query);
  copy_keys(in, in.shared_key, in.key, other);
  transpose(other, keys, width, key, padded_keys);
  multiply(in.queries, padded_keys / kWidth, width, {query, width, 1}, key, padded_keys, scores,
           padded_keys);
  for (std::int64_t i = 0; i < in.queries; ++i) {
    const RowSum row = exponentials(scores + i * padded_keys, seen_by(in, i), padded_keys);
    inverse_sums[i] = 1.0F / row.sum;
    log_sums[i] = row.largest + std::log(row.sum);
  }
  copy_keys(in, in.shared_value, in.value, other);
  multiply(in.queries, width / kWidth, keys, {scores, padded_keys, 1}, other, width, out.first,
           out.step, inverse_sums);
}

template <typename T>
void head_backward(const HeadInputs<T>& in, Rows<const T> upstream, const float* log_sums,
                   const HeadGradients<T>& out) {
  const std::int64_t keys = in.shared + in.own;
  const std::int64_t padded_keys = padded(keys);
  const std::int64_t width = in.width;
  const float scale = 1.0F / std::sqrt(static_cast<float>(width));
  Scratch& memory = scratch();
  memory.reset(2 * (in.queries + padded_keys) * width + 2 * in.queries * padded_keys + in.queries +
               16);
  float* query = memory.take(in.queries * width);
  float* gradient = memory.take(in.queries * width);
  float* plain = memory.take(padded_keys * width);
  float* turned = memory.take(padded_keys * width);
  float* scores = memory.take(in.queries * padded_keys);
  float* slopes = memory.take(in.queries * padded_keys);
  float* scales = memory.take(in.queries);
  std::fill_n(scales, in.queries, scale);
  copy_rows(in.query, in.queries, width, scale, query);
  copy_rows(upstream, in.queries, width, 1.0F, gradient);
  copy_keys(in, in.shared_value, in.value, plain);
  transpose(plain, keys, width, turned, padded_keys);
  multiply(in.queries, padded_keys / kWidth, width, {gradient, width, 1}, turned, padded_keys,
           slopes, padded_keys);
  copy_keys(in, in.shared_key, in.key, plain);
  transpose(plain, keys, width, turned, padded_keys);
  multiply(in.queries, padded_keys / kWidth, width, {query, width, 1}, turned, padded_keys, scores,
           padded_keys);
  for (std::int64_t i = 0; i < in.queries; ++i)
    softmax_backward(scores + i * padded_keys, slopes + i * padded_keys, log_sums[i],
                     seen_by(in, i), padded_keys);
  // Columns of the probabilities and of the slopes belong to keys.
  const auto of_keys = [&](const float* matrix, std::int64_t first) {
    return LeftFactor{matrix + first, 1, padded_keys};
  };
  const std::int64_t vectors = width / kWidth;
  if (out.value.first != nullptr)
    multiply(in.own, vectors, in.queries, of_keys(scores, in.shared), gradient, width,
             out.value.first, out.value.step);
  if (out.shared_value.first != nullptr)
    multiply(in.shared, vectors, in.queries, of_keys(scores, 0), gradient, width,
             out.shared_value.first, out.shared_value.step);
  if (out.key.first != nullptr)
    multiply(in.own, vectors, in.queries, of_keys(slopes, in.shared), query, width, out.key.first,
             out.key.step);
  if (out.shared_key.first != nullptr)
    multiply(in.shared, vectors, in.queries, of_keys(slopes, 0), query, width, out.shared_key.first,
             out.shared_key.step);
  if (out.query.first != nullptr)
    multiply(in.queries, vectors, keys, {slopes, padded_keys, 1}, plain, width, out.query.first,
             out.query.step, scales);
}

std::tuple<AttentionHead<float>, AttentionHead<Bfloat16>> heads() {
  return {{head_forward<float>, head_backward<float>},
          {head_forward<Bfloat16>, head_backward<Bfloat16>}};
}

}  // namespace HWY_NAMESPACE
}  // namespace petlab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace petlab::kernels {

HWY_EXPORT(heads);

std::tuple<AttentionHead<float>, AttentionHead<Bfloat16>> attention_heads() {
  return HWY_DYNAMIC_DISPATCH(heads)();
}

}  // namespace petlab::kernels
#endif
