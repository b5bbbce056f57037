#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace petlab::kernels {

/// Multi-head self-attention of qkv [B, L, 3 W] (queries, keys and values side by side, `heads`
/// heads each): softmax(q k^T / sqrt(W / heads)) v -> [B, L, W]. Causal: position i sees 0..i.
/// Differentiable.
[[nodiscard]] at::Tensor self_attention(const at::Tensor& qkv, std::int64_t heads, bool is_causal);

}  // namespace petlab::kernels
