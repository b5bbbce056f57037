#pragma once

#include "bfloat16.hpp"

#include <cstdint>
#include <tuple>

namespace petlab::kernels {

/// Rows of a matrix whose columns are neighbours.
template <typename T>
struct Rows {
  T* first = nullptr;
  std::int64_t step = 0;  ///< elements from one row to the next
};

/// The work of one head of one sample. Keys and values that samples share stand first.
template <typename T>
struct HeadInputs {
  std::int64_t queries = 0;
  std::int64_t shared = 0;  ///< keys that samples share
  std::int64_t own = 0;     ///< keys of the sample
  std::int64_t width = 0;   ///< of the head, a multiple of 16
  /// Query i sees the shared keys and the sample's keys 0 .. visible + i.
  std::int64_t visible = 0;
  Rows<const T> query, key, value, shared_key, shared_value;
};

/// Where the gradients go; those that are null are not computed.
template <typename T>
struct HeadGradients {
  Rows<T> query, key, value;
  Rows<float> shared_key, shared_value;
};

/// The work of one head of one sample, for one thread.
template <typename T>
struct AttentionHead {
  /// out [queries, width] = softmax(q k^T / sqrt(width)) v; log_sums [queries] gets the logarithms
  /// of the sums of exponentials.
  void (*forward)(const HeadInputs<T>& in, Rows<T> out, float* log_sums);
  /// The gradients for `upstream` [queries, width] of forward()'s result.
  void (*backward)(const HeadInputs<T>& in, Rows<const T> upstream, const float* log_sums,
                   const HeadGradients<T>& out);
};

/// For the types that a run has.
[[nodiscard]] std::tuple<AttentionHead<float>, AttentionHead<Bfloat16>> attention_heads();

/// The same in bf16 on AMX tiles, where they serve heads of this width.
[[nodiscard]] bool tiles_serve(std::int64_t width);
void attend_head_tiles(const HeadInputs<Bfloat16>& in, Rows<Bfloat16> out, float* log_sums);
void attend_head_backward_tiles(const HeadInputs<Bfloat16>& in, Rows<const Bfloat16> upstream,
                                const float* log_sums, const HeadGradients<Bfloat16>& out);

}  // namespace petlab::kernels
