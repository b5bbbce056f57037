#include "model/tensor_facts.hpp"
#include "petlab/base/error.hpp"
#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/losses.hpp"
#include "petlab/engine/precision.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <numeric>
#include <string>

// The training loss of an adapted backbone, with what adapters add to it.
namespace petlab::engine {
namespace {

namespace step_tensor = sdk::step_tensor;

[[noreturn]] void refuse(const std::string& what) {
  throw base::Error(base::ErrorKind::plugin, what);
}

at::Tensor unit_fp32(const at::Tensor& features) {
  return clip::unit_length(features.to(at::kFloat));
}

}  // namespace

void AdaptedBackbone::find_losses(const std::vector<Task>& tasks) {
  std::vector<std::int64_t> tasks_so_far(adapters_.adapters.size());
  loss_parts_.resize(tasks.size());
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    for (const std::size_t a : adapters_.arrangement.of_task.at(t)) {
      const std::int64_t place = tasks_so_far[a]++;
      const sdk::TrainingAdapter* adapter = sdk::training_part(*adapters_.adapters[a]);
      if (adapter == nullptr) continue;
      const std::uint32_t needs =
          where_.in_plugin("step_tensors()", [&] { return adapter->step_tensors(); });
      if ((needs & ~step_tensor::kAll) != 0)
        refuse("step_tensors() asks for tensors that this petlab does not know: bits " +
               std::to_string(needs & ~step_tensor::kAll));
      if ((needs & step_tensor::kTextFeatures) != 0 && footprint_.has_head)
        refuse("step_tensors() asks for text features, but the method's class head uses no texts");
      if (needs == 0) continue;
      std::uint32_t of_images = step_tensor::kImageFeatures | step_tensor::kFrozenImageFeatures |
                                step_tensor::kLogits | step_tensor::kLabels;
      if (footprint_.text.conditioned) of_images |= step_tensor::kTextFeatures;
      if ((needs & of_images) != 0 && (needs & step_tensor::kMeanOverImages) == 0)
        unsliceable_ =
            "its adapters' own loss sees the images of a batch together (step_tensors() does not "
            "say kMeanOverImages)";
      loss_parts_[t].push_back({adapter, place, needs});
      step_tensors_ |= needs;
    }
  }
}

std::vector<at::Tensor> AdaptedBackbone::frozen_image_features(
    const std::vector<TaskImages>& inputs, const std::vector<at::Tensor>& features) {
  std::vector<at::Tensor> result(inputs.size());
  std::vector<std::size_t> left;
  std::vector<at::Tensor> pixels;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!modifies_vision()) {
      result[i] = features[i];
    } else if (inputs[i].frozen_features.defined()) {
      result[i] = inputs[i].frozen_features;
    } else {
      left.push_back(i);
      pixels.push_back(inputs[i].pixels);
    }
  }
  if (left.empty()) return result;
  const at::NoGradGuard no_grad;
  const at::Tensor all = pixels.size() == 1 ? pixels.front() : at::cat(pixels);
  images_encoded_ += all.size(0);
  const at::Tensor encoded = backbone_.encode_image(all);
  std::int64_t offset = 0;
  for (const std::size_t i : left) {
    const std::int64_t count = inputs[i].pixels.size(0);
    result[i] = encoded.narrow(0, offset, count);
    offset += count;
  }
  return result;
}

at::Tensor AdaptedBackbone::checked_loss(const LossPart& part, const sdk::StepTensors& step) const {
  const at::Tensor loss = where_.in_plugin("loss()", [&] { return part.adapter->loss(step); });
  if (!loss.defined()) return loss;
  if (loss.dim() != 0 || loss.scalar_type() != at::kFloat || loss.device() != backbone_.device())
    refuse("loss() gives " + describe(loss) + ", expected a Float scalar on " +
           backbone_.device().str());
  return loss;
}

std::vector<at::Tensor> AdaptedBackbone::losses(const Prepared& prepared,
                                                const std::vector<TaskImages>& inputs,
                                                const std::vector<at::Tensor>& labels) {
  const std::vector<at::Tensor> features = image_features(prepared, inputs);
  std::vector<at::Tensor> frozen(inputs.size());
  if (needs_frozen_features()) frozen = frozen_image_features(inputs, features);
  std::vector<Scores> scores;
  std::vector<at::Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto t = static_cast<std::size_t>(inputs[i].task);
    scores.push_back(task_scores(prepared, t, features[i]));
    at::Tensor loss = cross_entropy(scores.back().logits, labels[i]);
    if (const at::Tensor& penalty = prepared.penalties[t]; penalty.defined()) loss = loss + penalty;
    result.push_back(loss);
  }
  if (step_tensors_ == 0) return result;

  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto t = static_cast<std::size_t>(inputs[i].task);
    std::uint32_t needs = 0;
    for (const LossPart& part : loss_parts_[t])
      needs |= part.needs;
    if (needs == 0) continue;
    at::Tensor frozen_texts;
    if ((needs & step_tensor::kFrozenTextFeatures) != 0)
      frozen_texts = frozen_class_features(texts_.list_of_task(t));
    const AutocastPause fp32(backbone_.device());
    sdk::StepTensors all;
    if ((needs & step_tensor::kImageFeatures) != 0)
      all.image_features = unit_fp32(scores[i].images);
    if ((needs & step_tensor::kTextFeatures) != 0) all.text_features = unit_fp32(scores[i].texts);
    if ((needs & step_tensor::kFrozenImageFeatures) != 0)
      all.frozen_image_features = unit_fp32(frozen[i].detach());
    if (frozen_texts.defined()) all.frozen_text_features = unit_fp32(frozen_texts);
    for (const LossPart& part : loss_parts_[t]) {
      const auto asked = [&part](std::uint32_t tensor, const at::Tensor& value) {
        return (part.needs & tensor) != 0 ? value : at::Tensor();
      };
      const at::Tensor own = checked_loss(
          part, {.task = part.task,
                 .image_features = asked(step_tensor::kImageFeatures, all.image_features),
                 .text_features = asked(step_tensor::kTextFeatures, all.text_features),
                 .frozen_image_features =
                     asked(step_tensor::kFrozenImageFeatures, all.frozen_image_features),
                 .frozen_text_features =
                     asked(step_tensor::kFrozenTextFeatures, all.frozen_text_features),
                 .logits = asked(step_tensor::kLogits, scores[i].logits),
                 .labels = asked(step_tensor::kLabels, labels[i]),
                 .logit_scale = scores[i].scale.to(at::kFloat),
                 .noise = prepared.noise});
      if (own.defined()) result[i] = result[i] + own;
    }
  }
  return result;
}

std::vector<std::vector<double>> AdaptedBackbone::epoch_weights(std::int64_t epochs) const {
  std::vector<std::vector<double>> result(adapters_.adapters.size());
  for (std::size_t a = 0; a < result.size(); ++a) {
    const sdk::TrainingAdapter* adapter = sdk::training_part(*adapters_.adapters[a]);
    if (adapter == nullptr) continue;
    std::vector<double> weights =
        where_.in_plugin("epoch_weights()", [&] { return adapter->epoch_weights(epochs); });
    if (weights.empty()) continue;
    bool are_weights = static_cast<std::int64_t>(weights.size()) == epochs;
    for (const double weight : weights)
      are_weights = are_weights && weight >= 0.0;  // false for NaN
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    if (!are_weights || !(std::abs(sum - 1.0) <= 1e-6))
      refuse("epoch_weights() gives " + std::to_string(weights.size()) + " weights whose sum is " +
             std::to_string(sum) + ", expected " + std::to_string(epochs) +
             ", none negative, whose sum is 1");
    result[a] = std::move(weights);
  }
  return result;
}

}  // namespace petlab::engine
