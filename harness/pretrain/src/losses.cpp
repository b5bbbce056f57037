#include "petlab/pretrain/losses.hpp"

#include <ATen/ATen.h>

#include <limits>

namespace petlab::pretrain {

at::Tensor table_loss(const at::Tensor& logits, const at::Tensor& rows, double label_smoothing) {
  if (!(rows >= 0).any().item<bool>()) return logits.sum() * 0.0;
  return at::cross_entropy_loss(logits, rows, /*weight=*/{}, at::Reduction::Mean,
                                /*ignore_index=*/-1, label_smoothing);
}

at::Tensor contrastive_loss(const at::Tensor& logits, const at::Tensor& also_true) {
  const at::Tensor diagonal = at::eye(logits.size(0), also_true.options());
  const at::Tensor left_out = at::logical_and(also_true, at::logical_not(diagonal));
  const at::Tensor kept = logits.masked_fill(left_out, -std::numeric_limits<float>::infinity());
  const at::Tensor target = at::arange(logits.size(0), logits.options().dtype(at::kLong));
  return (at::cross_entropy_loss(kept, target) + at::cross_entropy_loss(kept.t(), target)) * 0.5;
}

at::Tensor true_pairs(const at::Tensor& subjects, const at::Tensor& styles,
                      const at::Tensor& text_styles) {
  const at::Tensor same_subject = subjects.unsqueeze(1) == subjects.unsqueeze(0);
  const at::Tensor style_fits =
      at::logical_or(text_styles.unsqueeze(0) < 0, styles.unsqueeze(1) == text_styles.unsqueeze(0));
  return at::logical_and(same_subject, style_fits);
}

}  // namespace petlab::pretrain
