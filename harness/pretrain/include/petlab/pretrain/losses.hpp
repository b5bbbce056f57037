#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace petlab::pretrain {

/// fp32 logits [B, rows] of picture features [B, width] at a table [rows, width], computed in
/// `type`. The features are not normalised: with it pictures learn far more slowly. The table is
/// stored so much smaller than it is used here (20 times) that AdamW moves it that much faster.
[[nodiscard]] at::Tensor table_logits(const at::Tensor& features, const at::Tensor& table,
                                      c10::ScalarType type);

/// Cross-entropy over the rows of the table, over the samples that have a row.
/// `logits` [B, rows]; `rows` int64 [B], -1 = no row. Zero when no sample has one.
[[nodiscard]] at::Tensor table_loss(const at::Tensor& logits, const at::Tensor& rows,
                                    double label_smoothing);

/// Cross-entropy of `logits` [B, rows] with the soft targets softmax(`teacher`) [B, rows], mean
/// over the batch: distillation at temperature 1 (Hinton et al., 2015) but for the targets'
/// entropy, which has no gradient. None flows to `teacher`.
[[nodiscard]] at::Tensor distillation_loss(const at::Tensor& logits, const at::Tensor& teacher);

/// Subjects, facts and claims of the pictures and captions of a batch, or of a queue, on one
/// device. All int64 [N]; `sets` and `claimed_sets` -1 = none.
struct PairFacts {
  at::Tensor subjects;
  at::Tensor bits;          ///< of the picture
  at::Tensor sets;          ///< of the picture
  at::Tensor claims;        ///< bits that the caption claims
  at::Tensor claimed_sets;  ///< set that the caption names

  [[nodiscard]] PairFacts narrow(std::int64_t start, std::int64_t length) const;
};

/// Which captions are true of which pictures, bool [pictures, captions]: caption j is when it names
/// the subject of picture i and claims nothing that picture i lacks.
[[nodiscard]] at::Tensor true_pairs(const PairFacts& pictures, const PairFacts& captions);

/// CLIP's cross-entropy of one side with false negatives taken out: `logits` [B, N] with N >= B,
/// row i belongs to column i; `also_true` bool [B, N] marks columns that are true of a row as well,
/// which are neither positives nor negatives.
[[nodiscard]] at::Tensor softmax_contrast(const at::Tensor& logits, const at::Tensor& also_true);

/// SigLIP's loss (Zhai et al., 2023, equation 1) of `logits` [B, N] with scale and bias applied:
/// every pair is a decision of its own; pairs that are `also_true` are left out. Divided by B.
[[nodiscard]] at::Tensor sigmoid_contrast(const at::Tensor& logits, const at::Tensor& also_true);

/// Binary cross-entropy of `logits` [B, facts] over the entries that are `known`, mean over them.
/// Zero when none is known.
[[nodiscard]] at::Tensor fact_loss(const at::Tensor& logits, const at::Tensor& targets,
                                   const at::Tensor& known);

}  // namespace petlab::pretrain
