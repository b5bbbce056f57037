#include "trainer.hpp"

#include "compute_scope.hpp"
#include "petlab/pretrain/augmentation.hpp"
#include "petlab/pretrain/losses.hpp"
#include "petlab/sdk/error.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

namespace petlab::pretrain {

namespace {

constexpr double kLabelSmoothing = 0.1;
/// Of the texts' classification beside the images'.
constexpr double kTextTableWeight = 0.5;
/// The table is stored so much smaller than it is used: AdamW then moves it that much faster.
constexpr double kTableGain = 20.0;
constexpr double kLargestLogScale = 4.605;  // ln 100, as in CLIP
constexpr std::int64_t kMeasureBatch = 250;

at::Tensor normalised(const at::Tensor& features) {
  return features / features.norm(2, -1, /*keepdim=*/true).clamp_min(1e-6);
}

at::Tensor as_tensor(const std::vector<std::int64_t>& values) {
  return at::tensor(values, at::kLong);
}

}  // namespace

Trainer::Trainer(const PretrainOptions& options, const Model& model, const Curriculum& curriculum,
                 at::Tensor pictures, std::vector<Style> styles, c10::Device device)
    : options_(options),
      model_(model),
      curriculum_(curriculum),
      pictures_(std::move(pictures)),
      styles_(std::move(styles)),
      device_(device),
      type_(compute_type(device)),
      optimizer_(model.parameters(), options.weight_decay, options.average_decay) {}

StepReport Trainer::step(double progress) {
  const PlainAttentionScope plain_attention(device_);
  datasets::SplitMix64 chance(datasets::hash_name(std::to_string(options_.seed) + "/" +
                                                  std::to_string(optimizer_.steps())));
  at::Generator generator = at::detail::createCPUGenerator(chance.next());
  const std::vector<std::int64_t> drawn =
      draw_pictures(curriculum_, progress, options_.batch_size, chance);

  std::vector<std::string> texts;
  std::vector<std::int64_t> subjects, rows, styles, text_styles, coloured;
  for (const std::int64_t picture : drawn) {
    const auto i = static_cast<std::size_t>(picture);
    subjects.push_back(curriculum_.subject_of_picture[i]);
    rows.push_back(curriculum_.row_of_picture[i]);
    styles.push_back(static_cast<std::int64_t>(styles_[i]));
    coloured.push_back(styles_[i] == Style::colour || styles_[i] == Style::emoji);
    const Caption caption = draw_caption(
        curriculum_.subjects[static_cast<std::size_t>(subjects.back())], styles_[i], chance);
    texts.push_back(caption.text);
    text_styles.push_back(caption.names_style ? styles.back() : -1);
  }
  const at::Tensor planes = augment(pictures_.index_select(0, as_tensor(drawn)),
                                    as_tensor(coloured).to(at::kBool), generator)
                                .to(device_);
  const at::Tensor row_ids = as_tensor(rows).to(device_);
  const at::Tensor also_true =
      true_pairs(as_tensor(subjects), as_tensor(styles), as_tensor(text_styles)).to(device_);

  const clip::WeightOverrides weights = Model::in_type(model_.parameters(), type_);
  const at::Tensor images = model_.encode_image(planes, weights, type_);
  const at::Tensor unit_images = normalised(images);
  const at::Tensor unit_texts = normalised(model_.encode_text(texts, weights));
  const auto scale = [](const at::Tensor& log_scale) {
    return log_scale.clamp_max(kLargestLogScale).exp();
  };
  // Images meet the table without normalisation: with it they learn far more slowly.
  const at::Tensor table = model_.table();
  const at::Tensor image_logits =
      at::linear(images.to(type_), (table * kTableGain).to(type_)).to(at::kFloat);
  const at::Tensor text_logits =
      at::linear(unit_texts.to(type_), normalised(table).to(type_)).to(at::kFloat) *
      scale(model_.table_scale());
  const at::Tensor pair_logits =
      at::matmul(unit_images, unit_texts.t()) * scale(model_.logit_scale());
  const at::Tensor loss = table_loss(image_logits, row_ids, kLabelSmoothing) +
                          table_loss(text_logits, row_ids, 0.0) * kTextTableWeight +
                          contrastive_loss(pair_logits, also_true) * options_.contrast_weight;
  StepReport report;
  {
    const c10::NoGradGuard no_grad;
    report.loss = loss.item<double>();
    const at::Tensor has_row = row_ids >= 0;
    const double n = has_row.sum().item<double>();
    const double hits =
        at::logical_and(has_row, image_logits.argmax(1) == row_ids).sum().item<double>();
    report.table_accuracy = n > 0 ? hits / n : 0;
  }
  if (!std::isfinite(report.loss))
    throw sdk::Error(sdk::ErrorKind::numeric, "the loss of pretraining is not finite at step " +
                                                  std::to_string(optimizer_.steps()));
  loss.backward();
  optimizer_.step(scheduled_rate(options_.learning_rate, options_.warm_up, progress));
  return report;
}

double Trainer::held_out_accuracy() const {
  if (curriculum_.held_out.empty()) return -1;
  const c10::NoGradGuard no_grad;
  const PlainAttentionScope plain_attention(device_);
  const clip::WeightOverrides weights = Model::in_type(optimizer_.average(), type_);
  std::vector<std::string> texts;
  for (const std::int64_t subject : curriculum_.held_out_subjects)
    texts.push_back(curriculum_.subjects[static_cast<std::size_t>(subject)]);
  const at::Tensor unit_texts = normalised(model_.encode_text(texts, weights));
  std::int64_t hits = 0;
  const auto total = static_cast<std::int64_t>(curriculum_.held_out.size());
  const at::Tensor all = as_tensor(curriculum_.held_out);
  for (std::int64_t start = 0; start < total; start += kMeasureBatch) {
    const at::Tensor part = all.narrow(0, start, std::min(kMeasureBatch, total - start));
    const at::Tensor planes = to_planes(pictures_.index_select(0, part)).to(device_);
    const at::Tensor found =
        at::matmul(model_.encode_image(planes, weights, type_), unit_texts.t()).argmax(1).cpu();
    for (std::int64_t i = 0; i < part.size(0); ++i) {
      const auto picture = static_cast<std::size_t>(part[i].item<std::int64_t>());
      const auto answer = static_cast<std::size_t>(found[i].item<std::int64_t>());
      hits += curriculum_.held_out_subjects[answer] == curriculum_.subject_of_picture[picture];
    }
  }
  return static_cast<double>(hits) / static_cast<double>(total);
}

}  // namespace petlab::pretrain
