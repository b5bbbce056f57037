#include "compute_scope.hpp"
#include "petlab/pretrain/augmentation.hpp"
#include "trainer.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>

namespace petlab::pretrain {

namespace {

constexpr std::int64_t kMeasureBatch = 250;
constexpr std::size_t kTextBatch = 256;

at::Tensor unit_length(const at::Tensor& features) {
  return features / features.norm(2, -1, /*keepdim=*/true).clamp_min(1e-6);
}

/// A style that is not the picture's. Grey is rare and is nobody's wrong style.
Style other_than(Style style) {
  switch (style) {
    case Style::outline:
      return Style::solid;
    case Style::solid:
      return Style::colour;
    case Style::colour:
      return Style::emoji;
    default:
      return Style::outline;
  }
}

Style style_in(FactBits bits) {
  for (int style = 0; style < kStyles; ++style)
    if ((bits & fact::of(static_cast<Style>(style))) != 0) return static_cast<Style>(style);
  return Style::outline;
}

}  // namespace

std::vector<HeldOutScore> Trainer::held_out_scores() const {
  const c10::NoGradGuard no_grad;
  const PlainAttentionScope plain_attention(device_);
  const clip::WeightOverrides weights = Model::in_type(optimizer_.average(), type_);
  const Curriculum& curriculum = data_.curriculum;
  const std::vector<std::int64_t>& subjects = curriculum.held_out_subjects;
  const auto encoded = [&](const std::vector<std::string>& texts) {
    std::vector<at::Tensor> parts;
    for (std::size_t i = 0; i < texts.size(); i += kTextBatch)
      parts.push_back(model_.encode_text(
          {texts.begin() + static_cast<std::ptrdiff_t>(i),
           texts.begin() + static_cast<std::ptrdiff_t>(std::min(i + kTextBatch, texts.size()))},
          weights));
    return unit_length(at::cat(parts));
  };
  std::vector<HeldOutScore> scores;
  if (curriculum.held_out.empty()) return scores;
  std::vector<std::string> bare;
  std::vector<std::string> styled;  // all subjects in the first style, then in the second ...
  for (const std::int64_t subject : subjects)
    bare.push_back(curriculum.subjects[static_cast<std::size_t>(subject)]);
  for (int style = 0; style < kStyles; ++style)
    for (const std::string& name : bare)
      styled.push_back(styled_text(name, static_cast<Style>(style), 0));
  const auto n = static_cast<std::int64_t>(subjects.size());
  const at::Tensor bare_texts = encoded(bare);
  const at::Tensor styled_texts = encoded(styled).view({kStyles, n, -1});

  for (const HeldOut& held_out : curriculum.held_out) {
    HeldOutScore score{.family = held_out.family};
    const auto total = static_cast<std::int64_t>(held_out.pictures.size());
    const at::Tensor all = at::tensor(held_out.pictures, at::kLong);
    for (std::int64_t start = 0; start < total; start += kMeasureBatch) {
      const at::Tensor part = all.narrow(0, start, std::min(kMeasureBatch, total - start));
      const at::Tensor planes = to_planes(data_.pictures.index_select(0, part)).to(device_);
      const at::Tensor images = unit_length(model_.encode_image(planes, weights, type_));
      const at::Tensor found = at::matmul(images, bare_texts.t()).argmax(1).cpu();
      // [pictures, styles, subjects]
      const at::Tensor logits = at::einsum("be,sne->bsn", {images, styled_texts}).cpu();
      for (std::int64_t i = 0; i < part.size(0); ++i) {
        const auto picture = static_cast<std::size_t>(part[i].item<std::int64_t>());
        const std::int64_t subject = curriculum.subject_of_picture[picture];
        const std::int64_t answer =
            std::lower_bound(subjects.begin(), subjects.end(), subject) - subjects.begin();
        const Style style = style_in(data_.facts[picture].bits);
        const auto is_right = [&](Style said) {
          return logits[i][static_cast<std::int64_t>(said)].argmax().item<std::int64_t>() == answer;
        };
        score.bare += found[i].item<std::int64_t>() == answer;
        score.matched += is_right(style);
        score.wrong += is_right(other_than(style));
        score.style += logits[i].select(1, answer).argmax().item<std::int64_t>() ==
                       static_cast<std::int64_t>(style);
      }
    }
    for (double* const share : {&score.bare, &score.matched, &score.wrong, &score.style})
      *share /= static_cast<double>(total);
    scores.push_back(score);
  }
  return scores;
}

}  // namespace petlab::pretrain
