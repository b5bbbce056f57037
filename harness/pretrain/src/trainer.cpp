#include "trainer.hpp"

#include "compute_scope.hpp"
#include "petlab/base/error.hpp"
#include "petlab/pretrain/augmentation.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace petlab::pretrain {

namespace {

constexpr double kLabelSmoothing = 0.1;
/// Of the texts' classification beside the images'.
constexpr double kTextTableWeight = 0.5;
constexpr double kFactScale = 10.0;
constexpr double kTeacherRate = 2e-3;
constexpr std::string_view kTeacherState = "teacher.";
constexpr double kLargestLogScale = 4.605;  // ln 100, as in CLIP

at::Tensor normalised(const at::Tensor& features) {
  return features / features.norm(2, -1, /*keepdim=*/true).clamp_min(1e-6);
}

at::Tensor as_tensor(const std::vector<std::int64_t>& values) {
  return at::tensor(values, at::kLong);
}

at::Tensor scale_of(const at::Tensor& log_scale) {
  return log_scale.clamp_max(kLargestLogScale).exp();
}

/// int64 [B] -> bool [B, kFactRows].
at::Tensor unpacked(const at::Tensor& bits) {
  const at::Tensor place = at::arange(kFactRows, bits.options());
  return at::bitwise_and(at::bitwise_right_shift(bits.unsqueeze(1), place), 1) != 0;
}

/// Of a step with this loss, at the table with these logits. Throws when the loss is not finite.
StepReport report_of(const at::Tensor& loss, const at::Tensor& logits, const at::Tensor& rows,
                     std::int64_t step) {
  const c10::NoGradGuard no_grad;
  StepReport report{.loss = loss.item<double>()};
  if (!std::isfinite(report.loss))
    throw base::Error(base::ErrorKind::numeric,
                      "the loss of pretraining is not finite at step " + std::to_string(step));
  const at::Tensor has_row = rows >= 0;
  const double n = has_row.sum().item<double>();
  const double hits = at::logical_and(has_row, logits.argmax(1) == rows).sum().item<double>();
  report.table_accuracy = n > 0 ? hits / n : 0;
  return report;
}

bool has_own_colours(const PictureFacts& facts) {
  return (facts.bits & (fact::of(Style::colour) | fact::of(Style::emoji))) != 0;
}

}  // namespace

CaptionSource caption_source(const TrainingData& data, std::size_t picture) {
  static const SubjectWords nothing;
  const PoolIcon& icon = data.pool[picture];
  const auto found = data.words.find(icon.subject);
  const SubjectWords& words = found == data.words.end() ? nothing : found->second;
  return {.subject = icon.subject,
          .own_names = icon.own_names,
          .topics = icon.topics.empty() ? words.topics : icon.topics,
          .keywords = words.keywords,
          .set_title = icon.set_title};
}

CaptionShares caption_shares(const PretrainOptions& options) {
  return {.bare = options.bare_captions,
          .plain = options.plain_captions,
          .noise = options.noise_captions};
}

Trainer::Trainer(const PretrainOptions& options, const Model& model, const TrainingData& data,
                 c10::Device device)
    : options_(options),
      model_(model),
      data_(data),
      device_(device),
      type_(compute_type(device)),
      optimizer_(model.parameters(), options.weight_decay, options.average_decay,
                 layer_rates(model.parameters(), options.layer_decay)),
      queue_(options.queue, options.embed_dim, device) {
  if (options.distillation <= 0) return;
  at::Generator generator =
      at::detail::createCPUGenerator(base::hash_name(std::to_string(options.seed) + "/teacher"));
  Teacher teacher(data.curriculum.n_rows, device, generator);
  Optimizer optimizer(teacher.parameters(), options.weight_decay, options.average_decay);
  schooling_.emplace(TeacherState{std::move(teacher), std::move(optimizer)});
}

bool Trainer::trains_teacher(double progress) const {
  return schooling_.has_value() && progress < options_.teacher_share;
}

std::int64_t Trainer::steps() const {
  return optimizer_.steps() + (schooling_ ? schooling_->optimizer.steps() : 0);
}

std::vector<sdk::NamedTensor> Trainer::state() const {
  std::vector<sdk::NamedTensor> state = queue_.state();
  if (schooling_)
    for (const sdk::NamedTensor& entry : schooling_->optimizer.state())
      state.push_back({std::string(kTeacherState) + entry.name, entry.value});
  return state;
}

void Trainer::load_state(const std::vector<sdk::NamedTensor>& state) {
  queue_.load_state(state);
  if (!schooling_) return;
  std::vector<sdk::NamedTensor> of_teacher;
  for (const sdk::NamedTensor& entry : state)
    if (entry.name.starts_with(kTeacherState))
      of_teacher.push_back({entry.name.substr(kTeacherState.size()), entry.value});
  schooling_->optimizer.load_state(of_teacher);
}

Trainer::Batch Trainer::draw_batch(double progress, base::SplitMix64& chance,
                                   at::Generator& generator) const {
  const Curriculum& curriculum = data_.curriculum;
  const std::vector<std::int64_t> drawn =
      draw_pictures(curriculum, progress, options_.pair_share, options_.batch_size, chance);
  std::vector<std::int64_t> coloured;
  for (const std::int64_t picture : drawn)
    coloured.push_back(has_own_colours(data_.facts[static_cast<std::size_t>(picture)]));
  const Augmented augmented = augment(data_.pictures.index_select(0, as_tensor(drawn)),
                                      as_tensor(coloured).to(at::kBool), generator);
  const CaptionShares shares = caption_shares(options_);
  std::vector<std::string> texts;
  std::vector<std::int64_t> subjects, rows, bits, sets, claims, claimed_sets;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const auto picture = static_cast<std::size_t>(drawn[i]);
    const PictureFacts facts = changed(data_.facts[picture], augmented.changes[i]);
    const Caption caption = draw_caption(caption_source(data_, picture), facts, shares, chance);
    texts.push_back(caption.text);
    subjects.push_back(curriculum.subject_of_picture[picture]);
    rows.push_back(curriculum.row_of_picture[picture]);
    bits.push_back(static_cast<std::int64_t>(facts.bits));
    sets.push_back(facts.set);
    claims.push_back(static_cast<std::int64_t>(caption.claims.bits));
    claimed_sets.push_back(caption.claims.set);
  }
  return {.texts = std::move(texts),
          .facts = {.subjects = as_tensor(subjects).to(device_),
                    .bits = as_tensor(bits).to(device_),
                    .sets = as_tensor(sets).to(device_),
                    .claims = as_tensor(claims).to(device_),
                    .claimed_sets = as_tensor(claimed_sets).to(device_)},
          .rows = as_tensor(rows).to(device_),
          .planes = augmented.planes.to(device_)};
}

at::Tensor Trainer::contrast(const at::Tensor& images, const at::Tensor& texts,
                             const PairFacts& facts) const {
  at::Tensor all_images = images;
  at::Tensor all_texts = texts;
  at::Tensor texts_true = true_pairs(facts, facts);
  at::Tensor images_true = texts_true.t();
  if (queue_.size() > 0) {
    all_images = at::cat({images, queue_.images()});
    all_texts = at::cat({texts, queue_.texts()});
    texts_true = at::cat({texts_true, true_pairs(facts, queue_.facts())}, 1);
    images_true = at::cat({images_true, true_pairs(queue_.facts(), facts).t()}, 1);
  }
  const at::Tensor scale = scale_of(model_.parameter("logit_scale"));
  const at::Tensor of_images = at::matmul(images, all_texts.t()) * scale;
  const at::Tensor of_texts = at::matmul(texts, all_images.t()) * scale;
  if (options_.contrast == Contrast::sigmoid) {
    const at::Tensor bias = model_.parameter("head.contrast_bias");
    return (sigmoid_contrast(of_images + bias, texts_true) +
            sigmoid_contrast(of_texts + bias, images_true)) *
           0.5;
  }
  return (softmax_contrast(of_images, texts_true) + softmax_contrast(of_texts, images_true)) * 0.5;
}

at::Tensor Trainer::telling_facts(const at::Tensor& images, const at::Tensor& texts,
                                  const PairFacts& facts) const {
  const at::Tensor rows = normalised(model_.parameter("head.facts"));
  const at::Tensor bias = model_.parameter("head.fact_bias");
  const auto logits = [&](const at::Tensor& features) {
    return at::linear(features, rows) * kFactScale + bias;
  };
  const at::Tensor seen = unpacked(facts.bits);
  const at::Tensor claimed = unpacked(facts.claims);
  // A caption says what it claims; one that names a style, or colours, says that there are no
  // others.
  const auto says = [&](std::int64_t first, std::int64_t length) {
    return claimed.narrow(1, first, length).any(1, /*keepdim=*/true).expand({-1, length});
  };
  const at::Tensor known =
      at::cat({says(0, kStyles), says(kStyles, kColours), claimed.slice(1, kStyles + kColours)}, 1);
  return fact_loss(logits(images), seen.to(at::kFloat), at::ones_like(seen)) +
         fact_loss(logits(texts), claimed.to(at::kFloat), known);
}

StepReport Trainer::step(double progress) {
  const PlainAttentionScope plain_attention(device_);
  base::SplitMix64 chance(
      base::hash_name(std::to_string(options_.seed) + "/" + std::to_string(steps())));
  at::Generator generator = at::detail::createCPUGenerator(chance.next());
  const double share = schooling_ ? options_.teacher_share : 0.0;
  const bool is_teacher = trains_teacher(progress);
  const double own = is_teacher ? progress / share : (progress - share) / (1.0 - share);
  const Batch batch = draw_batch(own, chance, generator);
  return is_teacher ? step_teacher(batch, own) : step_model(batch, own, generator);
}

StepReport Trainer::step_teacher(const Batch& batch, double progress) {
  auto& [teacher, optimizer] = *schooling_;
  const at::Tensor logits = Teacher::logits(teacher.parameters(), batch.planes, type_);
  const at::Tensor loss = table_loss(logits, batch.rows, 0.0);
  StepReport report = report_of(loss, logits, batch.rows, steps());
  report.is_teacher = true;
  report.learning_rate = scheduled_rate(kTeacherRate, options_.warm_up, progress);
  loss.backward();
  optimizer.step(report.learning_rate);
  return report;
}

at::Tensor Trainer::classification(const at::Tensor& logits, const Batch& batch) const {
  const at::Tensor loss = table_loss(logits, batch.rows, kLabelSmoothing);
  if (!schooling_) return loss;
  const at::Tensor targets = [&] {
    const c10::NoGradGuard no_grad;
    return Teacher::logits(schooling_->optimizer.average(), batch.planes, type_);
  }();
  return loss * (1.0 - options_.distillation) +
         distillation_loss(logits, targets) * options_.distillation;
}

StepReport Trainer::step_model(const Batch& batch, double progress, at::Generator& generator) {
  const View view = draw_view(options_, progress, generator);
  const clip::WeightOverrides weights = Model::in_type(model_.parameters(), type_);
  const at::Tensor images = model_.encode_image(batch.planes, weights, type_, view);
  const at::Tensor unit_images = normalised(images);
  const at::Tensor unit_texts = normalised(model_.encode_text(batch.texts, weights));
  const at::Tensor table = model_.parameter("head.table");
  const at::Tensor image_logits = table_logits(images, table, type_);
  const at::Tensor text_logits =
      at::linear(unit_texts.to(type_), normalised(table).to(type_)).to(at::kFloat) *
      scale_of(model_.parameter("head.table_scale"));
  at::Tensor loss = classification(image_logits, batch) +
                    table_loss(text_logits, batch.rows, 0.0) * kTextTableWeight +
                    contrast(unit_images, unit_texts, batch.facts) * options_.contrast_weight;
  if (options_.fact_weight > 0)
    loss = loss + telling_facts(unit_images, unit_texts, batch.facts) * options_.fact_weight;
  StepReport report = report_of(loss, image_logits, batch.rows, steps());
  report.learning_rate = scheduled_rate(options_.learning_rate, options_.warm_up, progress);
  loss.backward();
  optimizer_.step(report.learning_rate);
  queue_.add(unit_images, unit_texts, batch.facts);
  return report;
}

}  // namespace petlab::pretrain
