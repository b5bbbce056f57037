#pragma once

#include "amx.hpp"

#ifdef PETLAB_HAS_AMX_CODE
#include <immintrin.h>

namespace petlab::kernels {

/// exp(x) within 1 ulp; 0 far below, infinity far above.
PETLAB_AMX_INLINE __m512 fast_exp(__m512 x) {
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504F)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  // ln 2 in two numbers, the first with zeros at its end: n times it is exact.
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693145752F), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(1.42860677e-6F), r);
  __m512 p = _mm512_set1_ps(1.0F / 5040);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 720));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 120));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 24));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 6));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(p, n);
}

/// 1 / (1 + exp(-1.702 x))
PETLAB_AMX_INLINE __m512 quick_gate(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0F);
  return _mm512_div_ps(
      one, _mm512_add_ps(one, fast_exp(_mm512_mul_ps(x, _mm512_set1_ps(-1.702F)))));
}

/// x / (1 + exp(-1.702 x))
PETLAB_AMX_INLINE __m512 quick_gelu_of(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0F);
  return _mm512_div_ps(
      x, _mm512_add_ps(one, fast_exp(_mm512_mul_ps(x, _mm512_set1_ps(-1.702F)))));
}

/// The derivative of x / (1 + exp(-1.702 x)).
PETLAB_AMX_INLINE __m512 quick_gelu_slope(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0F);
  const __m512 gate = quick_gate(x);
  const __m512 bend = _mm512_mul_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.702F)),
                                    _mm512_sub_ps(one, gate));
  return _mm512_fmadd_ps(gate, bend, gate);
}

}  // namespace petlab::kernels
#endif
