#include "attention_kernel.hpp"

#include "attention_rows.hpp"
#include "small_product.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::kernels {

namespace {

constexpr std::int64_t rounded_up(std::int64_t n) {
  return (n + 15) / 16 * 16;
}

/// Copies rows of `width` to neighbouring rows of floats, times `scale`.
template <typename T>
PETLAB_AVX512 void copy_rows(Rows<const T> from, std::int64_t n, std::int64_t width, float scale,
                             float* to) {
  const __m512 factor = _mm512_set1_ps(scale);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t d = 0; d < width; d += 16)
      store_floats(to + i * width + d,
                   _mm512_mul_ps(factor, load_floats(from.first + i * from.step + d)));
}

/// Keys or values, the shared ones first: [shared + own, width].
template <typename T>
void copy_keys(const HeadInputs<T>& in, Rows<const T> shared, Rows<const T> own, float* to) {
  copy_rows(shared, in.shared, in.width, 1.0F, to);
  copy_rows(own, in.own, in.width, 1.0F, to + in.shared * in.width);
}

/// Scores -> probabilities p in `scores`, gradients of the probabilities g -> gradients of the
/// scores p (g - sum of p g).
PETLAB_AVX512 void softmax_backward(float* scores, float* gradients, float log_sum,
                                    std::int64_t seen, std::int64_t padded) {
  const __m512 offset = _mm512_set1_ps(log_sum);
  __m512 sum = _mm512_setzero_ps();
  for (std::int64_t j = 0; j < padded; j += 16) {
    const __m512 p = _mm512_maskz_mov_ps(
        first_lanes(seen - j), vector_exp(_mm512_sub_ps(_mm512_loadu_ps(scores + j), offset)));
    _mm512_storeu_ps(scores + j, p);
    sum = _mm512_fmadd_ps(p, _mm512_loadu_ps(gradients + j), sum);
  }
  const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum));
  for (std::int64_t j = 0; j < padded; j += 16)
    _mm512_storeu_ps(gradients + j,
                     _mm512_mul_ps(_mm512_loadu_ps(scores + j),
                                   _mm512_sub_ps(_mm512_loadu_ps(gradients + j), mean)));
}

}  // namespace

template <typename T>
void attend_head(const HeadInputs<T>& in, Rows<T> out, float* log_sums) {
  const std::int64_t keys = in.shared + in.own;
  const std::int64_t padded = rounded_up(keys);
  const std::int64_t width = in.width;
  Scratch& memory = scratch();
  memory.reset((in.queries + 2 * padded) * width + in.queries * (padded + 16) + 16);
  float* query = memory.take(in.queries * width);
  float* key = memory.take(padded * width);
  float* other = memory.take(padded * width);
  float* scores = memory.take(in.queries * padded);
  float* inverse_sums = memory.take(in.queries);
  copy_rows(in.query, in.queries, width, 1.0F / std::sqrt(static_cast<float>(width)), query);
  copy_keys(in, in.shared_key, in.key, other);
  transpose(other, keys, width, key, padded);
  multiply(in.queries, padded / 16, width, {query, width, 1}, key, padded, scores, padded);
  for (std::int64_t i = 0; i < in.queries; ++i) {
    const RowSum row = exponentials(scores + i * padded, seen_by(in, i), padded, 1.0F);
    inverse_sums[i] = 1.0F / row.sum;
    log_sums[i] = row.largest + std::log(row.sum);
  }
  copy_keys(in, in.shared_value, in.value, other);
  multiply(in.queries, width / 16, keys, {scores, padded, 1}, other, width, out.first, out.step,
           inverse_sums);
}

template <typename T>
void attend_head_backward(const HeadInputs<T>& in, Rows<const T> upstream, const float* log_sums,
                          const HeadGradients<T>& out) {
  const std::int64_t keys = in.shared + in.own;
  const std::int64_t padded = rounded_up(keys);
  const std::int64_t width = in.width;
  const float scale = 1.0F / std::sqrt(static_cast<float>(width));
  Scratch& memory = scratch();
  memory.reset(2 * (in.queries + padded) * width + 2 * in.queries * padded + in.queries + 16);
  float* query = memory.take(in.queries * width);
  float* gradient = memory.take(in.queries * width);
  float* plain = memory.take(padded * width);
  float* turned = memory.take(padded * width);
  float* scores = memory.take(in.queries * padded);
  float* slopes = memory.take(in.queries * padded);
  float* scales = memory.take(in.queries);
  std::fill_n(scales, in.queries, scale);
  copy_rows(in.query, in.queries, width, scale, query);
  copy_rows(upstream, in.queries, width, 1.0F, gradient);
  copy_keys(in, in.shared_value, in.value, plain);
  transpose(plain, keys, width, turned, padded);
  multiply(in.queries, padded / 16, width, {gradient, width, 1}, turned, padded, slopes, padded);
  copy_keys(in, in.shared_key, in.key, plain);
  transpose(plain, keys, width, turned, padded);
  multiply(in.queries, padded / 16, width, {query, width, 1}, turned, padded, scores, padded);
  for (std::int64_t i = 0; i < in.queries; ++i)
    softmax_backward(scores + i * padded, slopes + i * padded, log_sums[i], seen_by(in, i), padded);
  // Columns of the probabilities and of the slopes belong to keys.
  const auto of_keys = [&](const float* matrix, std::int64_t first) {
    return LeftFactor{matrix + first, 1, padded};
  };
  const std::int64_t vectors = width / 16;
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
    multiply(in.queries, vectors, keys, {slopes, padded, 1}, plain, width, out.query.first,
             out.query.step, scales);
}

template void attend_head(const HeadInputs<float>&, Rows<float>, float*);
template void attend_head(const HeadInputs<Bfloat16>&, Rows<Bfloat16>, float*);
template void attend_head_backward(const HeadInputs<float>&, Rows<const float>, const float*,
                                   const HeadGradients<float>&);
template void attend_head_backward(const HeadInputs<Bfloat16>&, Rows<const Bfloat16>, const float*,
                                   const HeadGradients<Bfloat16>&);

}  // namespace petlab::kernels
