#include "petlab/kernels/attention.hpp"

#include <ATen/ATen.h>

namespace petlab::kernels {

at::Tensor self_attention(const at::Tensor& qkv, std::int64_t heads, bool is_causal) {
  const std::int64_t batch = qkv.size(0);
  const std::int64_t length = qkv.size(1);
  const std::int64_t width = qkv.size(2) / 3;
  const at::Tensor parts =
      qkv.view({batch, length, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});
  return at::scaled_dot_product_attention(parts[0], parts[1], parts[2], /*attn_mask=*/{},
                                          /*dropout_p=*/0.0, is_causal)
      .transpose(1, 2)
      .reshape({batch, length, width});
}

}  // namespace petlab::kernels
