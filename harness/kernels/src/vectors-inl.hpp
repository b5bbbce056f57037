// Vectors of 16 floats on Google Highway, for sources that are compiled once for each instruction
// set: include it between <hwy/foreach_target.h> and HWY_BEFORE_NAMESPACE().
//
// The number of lanes is the same everywhere: one vector of AVX-512, two of AVX2, four of SSE. So
// sums are added up in one order, and results are the same to the bit on all instruction sets that
// have fused multiply-add; without it each product is rounded once more.

// Highway's own kind of include guard: open once for each instruction set.
#if defined(PETLAB_KERNELS_VECTORS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef PETLAB_KERNELS_VECTORS_INL_HPP
#undef PETLAB_KERNELS_VECTORS_INL_HPP
#else
#define PETLAB_KERNELS_VECTORS_INL_HPP
#endif

#include "bfloat16.hpp"

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace petlab::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int64_t kWidth = 16;

using FloatTag = hn::CappedTag<float, kWidth>;
using BitsTag = hn::RebindToUnsigned<FloatTag>;
using HalfBitsTag = hn::Rebind<std::uint16_t, FloatTag>;
using HardwareVector = hn::Vec<FloatTag>;
constexpr std::int64_t kLanes = hn::MaxLanes(FloatTag());  // of a vector of the hardware
constexpr std::int64_t kParts = kWidth / kLanes;

/// 16 floats.
struct Vector {
  HardwareVector part[kParts];
};

#undef PETLAB_FOR_PARTS
#if HWY_TARGET == HWY_SCALAR
// The compiler makes vectors of the parts.
#define PETLAB_FOR_PARTS for (std::int64_t i = 0; i < kParts; ++i)
#else
#define PETLAB_FOR_PARTS _Pragma("GCC unroll 4") for (std::int64_t i = 0; i < kParts; ++i)
#endif

HWY_INLINE Vector broadcast(float value) {
  Vector out;
  PETLAB_FOR_PARTS out.part[i] = hn::Set(FloatTag(), value);
  return out;
}

HWY_INLINE Vector zeros() {
  return broadcast(0.0F);
}

HWY_INLINE Vector operator+(Vector a, Vector b) {
  PETLAB_FOR_PARTS a.part[i] = hn::Add(a.part[i], b.part[i]);
  return a;
}

HWY_INLINE Vector operator-(Vector a, Vector b) {
  PETLAB_FOR_PARTS a.part[i] = hn::Sub(a.part[i], b.part[i]);
  return a;
}

HWY_INLINE Vector operator*(Vector a, Vector b) {
  PETLAB_FOR_PARTS a.part[i] = hn::Mul(a.part[i], b.part[i]);
  return a;
}

HWY_INLINE Vector operator/(Vector a, Vector b) {
  PETLAB_FOR_PARTS a.part[i] = hn::Div(a.part[i], b.part[i]);
  return a;
}

/// a b + c
HWY_INLINE Vector multiply_add(Vector a, Vector b, Vector c) {
  PETLAB_FOR_PARTS a.part[i] = hn::MulAdd(a.part[i], b.part[i], c.part[i]);
  return a;
}

/// c - a b
HWY_INLINE Vector subtract_product(Vector a, Vector b, Vector c) {
  PETLAB_FOR_PARTS a.part[i] = hn::NegMulAdd(a.part[i], b.part[i], c.part[i]);
  return a;
}

/// The larger ones; those of b where one is NaN.
HWY_INLINE Vector larger(Vector a, Vector b) {
  PETLAB_FOR_PARTS a.part[i] = hn::Max(a.part[i], b.part[i]);
  return a;
}

/// The smaller ones; those of b where one is NaN.
HWY_INLINE Vector smaller(Vector a, Vector b) {
  PETLAB_FOR_PARTS a.part[i] = hn::Min(a.part[i], b.part[i]);
  return a;
}

/// The first n numbers of a, then those of b; any n.
HWY_INLINE Vector first_of(std::int64_t n, Vector a, Vector b) {
  if (n >= kWidth) return a;
  PETLAB_FOR_PARTS {
    const std::int64_t here = HWY_MAX(std::int64_t{0}, HWY_MIN(kLanes, n - i * kLanes));
    a.part[i] = hn::IfThenElse(hn::FirstN(FloatTag(), static_cast<std::size_t>(here)), a.part[i],
                               b.part[i]);
  }
  return a;
}

/// The first n numbers of a, then zeros.
HWY_INLINE Vector keep_first(std::int64_t n, Vector a) {
  return n >= kWidth ? a : first_of(n, a, zeros());
}

HWY_INLINE Vector load(const float* from) {
  Vector out;
  PETLAB_FOR_PARTS out.part[i] = hn::LoadU(FloatTag(), from + i * kLanes);
  return out;
}

HWY_INLINE Vector load(const Bfloat16* from) {
  Vector out;
  const auto* bits = reinterpret_cast<const std::uint16_t*>(from);
  PETLAB_FOR_PARTS {
    const auto low = hn::LoadU(HalfBitsTag(), bits + i * kLanes);
    out.part[i] = hn::BitCast(FloatTag(), hn::ShiftLeft<16>(hn::PromoteTo(BitsTag(), low)));
  }
  return out;
}

HWY_INLINE void store(Vector x, float* to) {
  PETLAB_FOR_PARTS hn::StoreU(x.part[i], FloatTag(), to + i * kLanes);
}

/// Rounds to the nearest, ties to even. NaN stays NaN.
HWY_INLINE void store(Vector x, Bfloat16* to) {
  const BitsTag bits_tag;
  auto* out = reinterpret_cast<std::uint16_t*>(to);
  PETLAB_FOR_PARTS {
    const auto bits = hn::BitCast(bits_tag, x.part[i]);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(bits_tag, 1));
    const auto up = hn::Add(bits, hn::Add(odd, hn::Set(bits_tag, 0x7FFF)));
    const auto is_number = hn::RebindMask(bits_tag, hn::Eq(x.part[i], x.part[i]));
    const auto high = hn::IfThenElse(is_number, hn::ShiftRight<16>(up), hn::Set(bits_tag, 0x7FC0));
    const hn::RebindToSigned<BitsTag> signed_tag;
    hn::StoreU(hn::DemoteTo(HalfBitsTag(), hn::BitCast(signed_tag, high)), HalfBitsTag(),
               out + i * kLanes);
  }
}

/// The first n numbers, zeros behind them; reads no others.
template <typename T>
HWY_INLINE Vector load_first(std::int64_t n, const T* from) {
  if (n >= kWidth) return load(from);
  T buffer[kWidth] = {};
  for (std::int64_t i = 0; i < n; ++i)
    buffer[i] = from[i];
  return load(buffer);
}

/// Writes the first n numbers and no others.
template <typename T>
HWY_INLINE void store_first(std::int64_t n, Vector x, T* to) {
  if (n >= kWidth) return store(x, to);
  T buffer[kWidth];
  store(x, buffer);
  for (std::int64_t i = 0; i < n; ++i)
    to[i] = buffer[i];
}

/// Combines the 16 numbers pairwise: the halves, the halves of the result, and so on.
template <typename Combine>
HWY_INLINE float folded(Vector x, Combine combine) {
  for (std::int64_t half = kParts / 2; half >= 1; half /= 2)
    for (std::int64_t i = 0; i < half; ++i)
      x.part[i] = combine(FloatTag(), x.part[i], x.part[i + half]);
#if HWY_TARGET == HWY_SCALAR
  return hn::GetLane(x.part[0]);
#else
  const hn::FixedTag<float, 4> four;
#if HWY_MAX_BYTES >= 64
  const hn::FixedTag<float, 8> eight;
  const auto halves =
      combine(eight, hn::LowerHalf(eight, x.part[0]), hn::UpperHalf(eight, x.part[0]));
  auto y = combine(four, hn::LowerHalf(four, halves), hn::UpperHalf(four, halves));
#elif HWY_MAX_BYTES >= 32
  auto y = combine(four, hn::LowerHalf(four, x.part[0]), hn::UpperHalf(four, x.part[0]));
#else
  auto y = x.part[0];
#endif
  y = combine(four, y, hn::Shuffle1032(y));
  y = combine(four, y, hn::Shuffle2301(y));
  return hn::GetLane(y);
#endif
}

struct AddLanes {
  template <class Tag, class V>
  HWY_INLINE V operator()(Tag, V a, V b) const {
    return hn::Add(a, b);
  }
};

struct LargerLanes {
  template <class Tag, class V>
  HWY_INLINE V operator()(Tag, V a, V b) const {
    return hn::Max(a, b);
  }
};

HWY_INLINE float sum_of(Vector x) {
  return folded(x, AddLanes());
}

HWY_INLINE float largest_of(Vector x) {
  return folded(x, LargerLanes());
}

/// exp(x), relative error below 2e-7. Below -87 it stays exp(-87), about 1.6e-38; above 88 exp(88):
/// never 0 of an underflow, never infinite. NaN stays NaN.
HWY_INLINE Vector exp_of(Vector x) {
  x = smaller(broadcast(88.0F), larger(broadcast(-87.0F), x));
  // x = n log 2 + r, |r| <= log(2) / 2 and a little; log 2 in two parts, the first with few digits.
  // Adding 1.5 2^23 rounds to an integer, which then stands in the last bits.
  const Vector rounder = broadcast(12582912.0F);
  const Vector shifted = multiply_add(x, broadcast(1.44269504F), rounder);
  const Vector n = shifted - rounder;
  Vector r = subtract_product(n, broadcast(0.693359375F), x);
  r = subtract_product(n, broadcast(-2.12194440e-4F), r);
  // exp(r) by Taylor's polynomial of degree 7: what it leaves out is below 1e-8.
  Vector p = broadcast(1.0F / 5040);
  p = multiply_add(p, r, broadcast(1.0F / 720));
  p = multiply_add(p, r, broadcast(1.0F / 120));
  p = multiply_add(p, r, broadcast(1.0F / 24));
  p = multiply_add(p, r, broadcast(1.0F / 6));
  p = multiply_add(p, r, broadcast(0.5F));
  p = multiply_add(p, r, broadcast(1.0F));
  p = multiply_add(p, r, broadcast(1.0F));
  // 2^n by its exponent, which lies in 1 .. 254.
  PETLAB_FOR_PARTS {
    const auto bits = hn::BitCast(BitsTag(), shifted.part[i]);
    const auto power = hn::ShiftLeft<23>(hn::Add(bits, hn::Set(BitsTag(), 127)));
    p.part[i] = hn::Mul(p.part[i], hn::BitCast(FloatTag(), power));
  }
  return p;
}

/// 1 / (1 + exp(-x)), relative error below 4e-7 for x > -87; below it stays sigmoid(-87), about
/// 1.6e-38.
HWY_INLINE Vector sigmoid(Vector x) {
  const Vector one = broadcast(1.0F);
  return one / (one + exp_of(smaller(broadcast(87.0F), zeros() - x)));
}

/// CLIP's approximation of the GELU, x sigmoid(1.702 x).
HWY_INLINE Vector quick_gelu(Vector x) {
  return x * sigmoid(x * broadcast(1.702F));
}

/// Its derivative, s (1 + 1.702 x (1 - s)) with s = sigmoid(1.702 x).
HWY_INLINE Vector quick_gelu_slope(Vector x) {
  const Vector one = broadcast(1.0F);
  const Vector z = x * broadcast(1.702F);
  const Vector s = sigmoid(z);
  return s * multiply_add(z, one - s, one);
}

}  // namespace HWY_NAMESPACE
}  // namespace petlab::kernels
HWY_AFTER_NAMESPACE();

#endif
