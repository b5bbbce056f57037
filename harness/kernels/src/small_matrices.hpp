#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

// Small dense matrices in fp32, for code that is compiled once for each instruction set: all of it
// is inlined into its caller.
namespace petlab::kernels {

// Values of a vector. Rows of the small matrices are padded to a multiple of it.
constexpr std::int64_t kLanes = 16;
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

#define PETLAB_INLINE inline __attribute__((always_inline))

constexpr std::int64_t padded(std::int64_t n) {
  return (n + kLanes - 1) / kLanes * kLanes;
}

/// c [m, n] (+)= a b with b [k, n]; n is a multiple of kLanes. a's strides are given, so that it
/// can stand transposed.
PETLAB_INLINE void multiply(const float* a, std::int64_t a_row, std::int64_t a_column,
                            const float* b, std::int64_t b_row, float* c, std::int64_t c_row,
                            std::int64_t m, std::int64_t k, std::int64_t n, bool add) {
  constexpr std::int64_t kTile = 4;
  for (std::int64_t j = 0; j < n; j += kLanes) {
    std::int64_t i = 0;
    for (; i + kTile <= m; i += kTile) {
      Lanes sum[kTile] = {};
      for (std::int64_t p = 0; p < k; ++p) {
        const Lanes right = *reinterpret_cast<const Lanes*>(b + p * b_row + j);
        for (std::int64_t t = 0; t < kTile; ++t)
          sum[t] += a[(i + t) * a_row + p * a_column] * right;
      }
      for (std::int64_t t = 0; t < kTile; ++t) {
        auto* to = reinterpret_cast<Lanes*>(c + (i + t) * c_row + j);
        *to = add ? *to + sum[t] : sum[t];
      }
    }
    for (; i < m; ++i) {
      Lanes sum = {};
      for (std::int64_t p = 0; p < k; ++p)
        sum += a[i * a_row + p * a_column] * *reinterpret_cast<const Lanes*>(b + p * b_row + j);
      auto* to = reinterpret_cast<Lanes*>(c + i * c_row + j);
      *to = add ? *to + sum : sum;
    }
  }
}

/// exp(x) for x <= 0 with a relative error below 2e-7: 2^n p(r), |r| <= ln 2 / 2. A loop over it
/// becomes vector code.
PETLAB_INLINE float exp_of_negative(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  x = x < -87.0F ? -87.0F : x;
  const float shifted = x * 1.44269504088896341F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const auto exponent = static_cast<std::int32_t>(n) + 127;
  return p * std::bit_cast<float>(exponent << 23);
}

/// Scores of one query -> weights; those behind its `n_seen` keys become 0, up to `n`.
PETLAB_INLINE void softmax(float* scores, std::int64_t n_seen, std::int64_t n) {
  float largest = scores[0];
  for (std::int64_t j = 1; j < n_seen; ++j)
    largest = std::max(largest, scores[j]);
  float sum = 0.0F;
  for (std::int64_t j = 0; j < n_seen; ++j)
    scores[j] = exp_of_negative(scores[j] - largest);
  for (std::int64_t j = 0; j < n_seen; ++j)
    sum += scores[j];
  const float inverse = 1.0F / sum;
  for (std::int64_t j = 0; j < n_seen; ++j)
    scores[j] *= inverse;
  for (std::int64_t j = n_seen; j < n; ++j)
    scores[j] = 0.0F;
}

}  // namespace petlab::kernels
