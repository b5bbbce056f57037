#include "transformer.hpp"

#include <ATen/ATen.h>

#include <limits>

namespace petlab::clip {

namespace {

/// x * sigmoid(1.702 x), as silu(1.702 x) / 1.702: one saved tensor instead of two.
at::Tensor quick_gelu(at::Tensor x) {
  constexpr double kSlope = 1.702;
  return at::silu(x.mul_(kSlope)).mul_(1.0 / kSlope);
}

at::Tensor mlp(const BlockWeights& w, const BlockSettings& settings, const at::Tensor& x) {
  const at::Tensor normed = layer_norm(x, w.norm2_weight, w.norm2_bias, settings.layer_norm_eps);
  const at::Tensor hidden = at::linear(normed, w.fc1_weight, w.fc1_bias);
  const at::Tensor active =
      settings.activation == Activation::gelu ? at::gelu(hidden) : quick_gelu(hidden);
  return at::linear(active, w.fc2_weight, w.fc2_bias);
}

/// [B, L, n W] -> n tensors [B, heads, L, W / heads], as a view with n in front.
at::Tensor split_heads(const at::Tensor& x, std::int64_t parts, std::int64_t heads) {
  const std::int64_t head_width = x.size(2) / parts / heads;
  return x.view({x.size(0), x.size(1), parts, heads, head_width}).permute({2, 0, 3, 1, 4});
}

/// [B, heads, L, D] -> [B, L, heads D].
at::Tensor join_heads(const at::Tensor& x) {
  return x.transpose(1, 2).reshape({x.size(0), x.size(2), x.size(1) * x.size(3)});
}

}  // namespace

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double eps) {
  return at::layer_norm(x, {x.size(-1)}, weight, bias, eps);
}

at::Tensor run_block(const BlockWeights& w, const BlockSettings& settings, const at::Tensor& x) {
  const at::Tensor normed = layer_norm(x, w.norm1_weight, w.norm1_bias, settings.layer_norm_eps);
  const at::Tensor qkv =
      split_heads(at::linear(normed, w.qkv_weight, w.qkv_bias), /*parts=*/3, settings.heads);
  const at::Tensor attended = at::scaled_dot_product_attention(
      qkv[0], qkv[1], qkv[2], /*attn_mask=*/{}, /*dropout_p=*/0.0, settings.is_causal);
  const at::Tensor middle = x + at::linear(join_heads(attended), w.out_weight, w.out_bias);
  return middle + mlp(w, settings, middle);
}

at::Tensor run_block_pooled(const BlockWeights& w, const BlockSettings& settings,
                            const at::Tensor& x, const at::Tensor& positions) {
  const std::int64_t batch = x.size(0);
  const std::int64_t length = x.size(1);
  const std::int64_t width = x.size(2);
  const auto pool = [&](const at::Tensor& all) {
    if (!positions.defined()) return all.narrow(1, 0, 1);
    return all.gather(1, positions.view({batch, 1, 1}).expand({batch, 1, width}));
  };
  const at::Tensor normed = layer_norm(x, w.norm1_weight, w.norm1_bias, settings.layer_norm_eps);
  const at::Tensor kv = split_heads(at::linear(normed, w.qkv_weight.narrow(0, width, 2 * width),
                                               w.qkv_bias.narrow(0, width, 2 * width)),
                                    /*parts=*/2, settings.heads);
  const at::Tensor q = split_heads(
      at::linear(pool(normed), w.qkv_weight.narrow(0, 0, width), w.qkv_bias.narrow(0, 0, width)),
      /*parts=*/1, settings.heads);
  // A causal query at position p sees the keys 0..p: added to the scores, 0 there and -inf behind.
  std::optional<at::Tensor> mask;
  if (settings.is_causal) {
    const at::Tensor places = at::arange(length, positions.options());
    const at::Tensor hidden = places.view({1, 1, 1, length}) > positions.view({batch, 1, 1, 1});
    mask = at::zeros({batch, 1, 1, length}, q.options())
               .masked_fill_(hidden, -std::numeric_limits<double>::infinity());
  }
  const at::Tensor attended = at::scaled_dot_product_attention(q[0], kv[0], kv[1], mask);
  const at::Tensor middle = pool(x) + at::linear(join_heads(attended), w.out_weight, w.out_bias);
  return (middle + mlp(w, settings, middle)).squeeze(1);
}

}  // namespace petlab::clip
