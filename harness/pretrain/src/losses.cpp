#include "petlab/pretrain/losses.hpp"

#include <ATen/ATen.h>

#include <limits>

namespace petlab::pretrain {

namespace {

constexpr double kTableGain = 20.0;

}  // namespace

at::Tensor table_logits(const at::Tensor& features, const at::Tensor& table, c10::ScalarType type) {
  return at::linear(features.to(type), (table * kTableGain).to(type)).to(at::kFloat);
}

at::Tensor table_loss(const at::Tensor& logits, const at::Tensor& rows, double label_smoothing) {
  if (!(rows >= 0).any().item<bool>()) return logits.sum() * 0.0;
  return at::cross_entropy_loss(logits, rows, /*weight=*/{}, at::Reduction::Mean,
                                /*ignore_index=*/-1, label_smoothing);
}

at::Tensor distillation_loss(const at::Tensor& logits, const at::Tensor& teacher) {
  return -(at::softmax(teacher.detach(), 1) * at::log_softmax(logits, 1)).sum(1).mean();
}

namespace {

/// `also_true` without the pairs themselves.
at::Tensor left_out(const at::Tensor& also_true) {
  const at::Tensor own = at::eye(also_true.size(0), also_true.size(1), also_true.options());
  return at::logical_and(also_true, at::logical_not(own));
}

}  // namespace

PairFacts PairFacts::narrow(std::int64_t start, std::int64_t length) const {
  return {.subjects = subjects.narrow(0, start, length),
          .bits = bits.narrow(0, start, length),
          .sets = sets.narrow(0, start, length),
          .claims = claims.narrow(0, start, length),
          .claimed_sets = claimed_sets.narrow(0, start, length)};
}

at::Tensor true_pairs(const PairFacts& pictures, const PairFacts& captions) {
  const at::Tensor same_subject = pictures.subjects.unsqueeze(1) == captions.subjects.unsqueeze(0);
  const at::Tensor claims = captions.claims.unsqueeze(0);
  const at::Tensor bits_fit = at::bitwise_and(pictures.bits.unsqueeze(1), claims) == claims;
  const at::Tensor set_fits =
      at::logical_or(captions.claimed_sets.unsqueeze(0) < 0,
                     pictures.sets.unsqueeze(1) == captions.claimed_sets.unsqueeze(0));
  return at::logical_and(at::logical_and(same_subject, bits_fit), set_fits);
}

at::Tensor softmax_contrast(const at::Tensor& logits, const at::Tensor& also_true) {
  const at::Tensor kept =
      logits.masked_fill(left_out(also_true), -std::numeric_limits<float>::infinity());
  return at::cross_entropy_loss(kept,
                                at::arange(logits.size(0), logits.options().dtype(at::kLong)));
}

at::Tensor sigmoid_contrast(const at::Tensor& logits, const at::Tensor& also_true) {
  const at::Tensor sign =
      at::eye(logits.size(0), logits.size(1), logits.options().requires_grad(false)) * 2.0 - 1.0;
  const at::Tensor losses = at::log_sigmoid(logits * sign).masked_fill(left_out(also_true), 0.0);
  return -losses.sum() / static_cast<double>(logits.size(0));
}

at::Tensor fact_loss(const at::Tensor& logits, const at::Tensor& targets, const at::Tensor& known) {
  const at::Tensor weight = known.to(logits.scalar_type());
  const at::Tensor losses =
      at::binary_cross_entropy_with_logits(logits, targets, weight, {}, at::Reduction::Sum);
  return losses / weight.sum().clamp_min(1.0);
}

}  // namespace petlab::pretrain
