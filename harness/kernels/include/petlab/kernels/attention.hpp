#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace petlab::kernels {

/// Keys and values that several samples share and every query sees: prompts, or a common beginning.
struct SharedKeys {
  /// [S, n, 2 W], keys and values side by side; undefined: none.
  at::Tensor kv;
  /// int64 [B], the row of kv that each sample uses; undefined for S = 1.
  at::Tensor set_of_sample;
};

/// Multi-head self-attention of qkv [B, L, 3 W] (queries, keys and values side by side, `heads`
/// heads each): softmax(q k^T / sqrt(W / heads)) v -> [B, L, W]. Causal: position i sees 0..i.
/// The shared keys stand before those of the sample and are seen by all. Differentiable (once) in
/// qkv and kv; keeps the inputs and a number a query. Under autocast it computes in its type.
[[nodiscard]] at::Tensor self_attention(const at::Tensor& qkv, std::int64_t heads, bool is_causal,
                                        const SharedKeys& shared = {});

/// The same for queries of their own: q [B, M, W] on kv [B, L, 2 W] -> [B, M, W]. Query i of sample
/// b sees the sample's keys 0 .. positions[b] + i (int64 [B]); all where `positions` is undefined.
[[nodiscard]] at::Tensor attention(const at::Tensor& q, const at::Tensor& kv, std::int64_t heads,
                                   const at::Tensor& positions, const SharedKeys& shared = {});

}  // namespace petlab::kernels
