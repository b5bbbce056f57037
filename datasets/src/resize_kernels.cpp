#include "resize_weights.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#define PETLAB_RESIZE_AVX2 1
#include <hwy/targets.h>
#include <immintrin.h>
#endif

namespace petlab::datasets {
namespace {

constexpr int kBits = ResizeWeights::kPrecisionBits;
constexpr int kHalf = 1 << (kBits - 1);

std::uint8_t clip8(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kBits, 0, 255));
}

void portable_row(const std::uint8_t* in, const ResizeWeights& weights, std::uint8_t* out) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto window = weights.window(i);
    const std::int32_t* k = weights.weights(i);
    const std::uint8_t* pixel = in + std::ptrdiff_t{3} * window.first;
    std::array<std::int32_t, 3> sum{kHalf, kHalf, kHalf};
    for (int t = 0; t < window.count; ++t, pixel += 3) {
      for (std::size_t c = 0; c < 3; ++c)
        sum[c] += pixel[c] * k[t];
    }
    for (const std::int32_t s : sum)
      *out++ = clip8(s);
  }
}

void portable_column(const std::uint8_t* in, std::int64_t first, std::size_t stride,
                     std::size_t bytes, const ResizeWeights& weights, std::size_t i,
                     std::uint8_t* out) {
  constexpr std::size_t kBlock = 64;
  const auto window = weights.window(i);
  const std::int32_t* k = weights.weights(i);
  const std::uint8_t* top = in + static_cast<std::size_t>(window.first - first) * stride;
  for (std::size_t x = 0; x < bytes; x += kBlock) {
    const std::size_t n = std::min(kBlock, bytes - x);
    std::array<std::int32_t, kBlock> sum;
    sum.fill(kHalf);
    for (int t = 0; t < window.count; ++t) {
      const std::uint8_t* row = top + static_cast<std::size_t>(t) * stride + x;
      for (std::size_t b = 0; b < n; ++b)
        sum[b] += row[b] * k[t];
    }
    for (std::size_t b = 0; b < n; ++b)
      out[x + b] = clip8(sum[b]);
  }
}

#ifdef PETLAB_RESIZE_AVX2

/// (upper << kLowerBits) + lower, rounded to a pixel but not yet clipped.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i joined(__m256i upper, __m256i lower) {
  const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(upper, ResizeWeights::kLowerBits), lower);
  return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(kHalf)), kBits);
}

/// Four pixels at a time: their 12 bytes become pairs of 16-bit numbers (r0 r1 g0 g1 b0 b1 in the
/// lower half, r2 r3 ... in the upper), which one instruction multiplies and adds.
[[gnu::target("avx2")]] void avx2_row(const std::uint8_t* in, const ResizeWeights& weights,
                                      std::uint8_t* out) {
  const __m256i spread =
      _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                       6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m256i pick_upper = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
  const __m256i pick_lower = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
  for (std::size_t i = 0; i < weights.size(); ++i, out += 3) {
    const auto window = weights.window(i);
    const std::int16_t* k = weights.split(i);
    const std::uint8_t* pixel = in + std::ptrdiff_t{3} * window.first;
    __m256i upper = _mm256_setzero_si256();
    __m256i lower = _mm256_setzero_si256();
    for (int t = 0; t < window.count; t += 4, pixel += 12, k += 8) {
      const __m256i bytes =
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(pixel)));
      const __m256i pairs = _mm256_shuffle_epi8(bytes, spread);
      const __m256 both = _mm256_castsi256_ps(
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(k))));
      const __m256i w_upper = _mm256_castps_si256(_mm256_permutevar_ps(both, pick_upper));
      const __m256i w_lower = _mm256_castps_si256(_mm256_permutevar_ps(both, pick_lower));
      upper = _mm256_add_epi32(upper, _mm256_madd_epi16(pairs, w_upper));
      lower = _mm256_add_epi32(lower, _mm256_madd_epi16(pairs, w_lower));
    }
    const __m256i sum =
        _mm256_add_epi32(_mm256_slli_epi32(upper, ResizeWeights::kLowerBits), lower);
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    four = _mm_srai_epi32(_mm_add_epi32(four, _mm_set1_epi32(kHalf)), kBits);
    four = _mm_packus_epi16(_mm_packs_epi32(four, four), four);
    const int rgb0 = _mm_cvtsi128_si32(four);
    std::memcpy(out, &rgb0, 4);  // the fourth byte is overwritten by the next pixel, or is slack
  }
}

/// 16 bytes of two rows at a time.
[[gnu::target("avx2")]] void avx2_column(const std::uint8_t* in, std::int64_t first,
                                         std::size_t stride, std::size_t bytes,
                                         const ResizeWeights& weights, std::size_t i,
                                         std::uint8_t* out) {
  const auto window = weights.window(i);
  const std::uint8_t* top = in + static_cast<std::size_t>(window.first - first) * stride;
  for (std::size_t x = 0; x < bytes; x += 16) {
    __m256i upper0 = _mm256_setzero_si256();
    __m256i upper1 = upper0;
    __m256i lower0 = upper0;
    __m256i lower1 = upper0;
    const std::int16_t* k = weights.split(i);
    const std::uint8_t* row = top + x;
    for (int t = 0; t < window.count; t += 2) {
      // Behind the last row comes itself, with weight 0.
      const std::uint8_t* next = t + 1 < window.count ? row + stride : row;
      const __m256i a =
          _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
      const __m256i b =
          _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(next)));
      const __m256i pairs0 = _mm256_unpacklo_epi16(a, b);
      const __m256i pairs1 = _mm256_unpackhi_epi16(a, b);
      int two_upper = 0;
      int two_lower = 0;
      std::memcpy(&two_upper, k, 4);
      std::memcpy(&two_lower, k + ResizeWeights::kGroup, 4);
      const __m256i w_upper = _mm256_set1_epi32(two_upper);
      const __m256i w_lower = _mm256_set1_epi32(two_lower);
      upper0 = _mm256_add_epi32(upper0, _mm256_madd_epi16(pairs0, w_upper));
      upper1 = _mm256_add_epi32(upper1, _mm256_madd_epi16(pairs1, w_upper));
      lower0 = _mm256_add_epi32(lower0, _mm256_madd_epi16(pairs0, w_lower));
      lower1 = _mm256_add_epi32(lower1, _mm256_madd_epi16(pairs1, w_lower));
      row += 2 * stride;
      k += t % 4 == 0 ? 2 : 2 + ResizeWeights::kGroup;
    }
    const __m256i words = _mm256_packs_epi32(joined(upper0, lower0), joined(upper1, lower1));
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(words, words), 0b1000);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + x), _mm256_castsi256_si128(packed));
  }
}

#endif

}  // namespace

const ResizeKernels& portable_kernels() {
  static constexpr ResizeKernels kKernels{portable_row, portable_column};
  return kKernels;
}

const ResizeKernels& best_kernels() {
#ifdef PETLAB_RESIZE_AVX2
  static constexpr ResizeKernels kAvx2{avx2_row, avx2_column};
  // Highway asks the CPU and the system, and keeps to the level that PETLAB_CPU names.
  if ((hwy::SupportedTargets() & HWY_AVX2) != 0) return kAvx2;
#endif
  return portable_kernels();
}

}  // namespace petlab::datasets
