#pragma once

#include <ATen/core/Tensor.h>

namespace petlab::pretrain {

/// Cross-entropy over the rows of the table, over the samples that have a row.
/// `logits` [B, rows]; `rows` int64 [B], -1 = no row. Zero when no sample has one.
[[nodiscard]] at::Tensor table_loss(const at::Tensor& logits, const at::Tensor& rows,
                                    double label_smoothing);

/// The symmetric contrastive loss of CLIP with false negatives taken out: `logits` [B, B] (images
/// by texts), pair i is image i with text i; `also_true` bool [B, B] marks texts that are true of
/// an image as well, which are neither positives nor negatives.
[[nodiscard]] at::Tensor contrastive_loss(const at::Tensor& logits, const at::Tensor& also_true);

/// Which texts are true of which images: text j is when it names the subject of image i and, if it
/// names a style at all, the style of image i. All int64 [B]; `text_styles` -1 = names none.
[[nodiscard]] at::Tensor true_pairs(const at::Tensor& subjects, const at::Tensor& styles,
                                    const at::Tensor& text_styles);

}  // namespace petlab::pretrain
