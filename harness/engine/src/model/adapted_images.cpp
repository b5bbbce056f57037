#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/sdk/device_copy.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

// The image side of an adapted backbone: image features, and the class scores that follow.
namespace petlab::engine {
at::Tensor AdaptedBackbone::encode_images(const Prepared& prepared,
                                          const std::vector<std::size_t>& sets,
                                          const std::vector<std::int64_t>& set_sizes,
                                          const std::vector<at::Tensor>& images, bool are_streams) {
  const at::Tensor all = images.size() == 1 ? images.front() : at::cat(images);
  images_encoded_ += all.size(0);
  if (!modifies_vision()) {
    const at::NoGradGuard no_grad;
    return backbone_.encode_image(all);
  }
  at::Tensor set_of_sample;
  if (sets.size() > 1) {
    std::vector<std::int64_t> set_of_image;
    for (std::size_t set = 0; set < sets.size(); ++set)
      set_of_image.insert(set_of_image.end(), static_cast<std::size_t>(set_sizes[set]),
                          static_cast<std::int64_t>(set));
    set_of_sample = sdk::to_device(at::tensor(set_of_image, at::kLong), backbone_.device());
  }
  const clip::TowerBatch batch = tower_batch(prepared, false, sets, set_sizes, set_of_sample);
  if (are_streams) return backbone_.encode_image_above(all, untouched_vision_layers(), batch);
  return backbone_.encode_image(all, batch, prepared.overrides[sets.front()]);
}

std::vector<at::Tensor> AdaptedBackbone::image_features(const Prepared& prepared,
                                                        const std::vector<TaskImages>& inputs) {
  std::vector<at::Tensor> features(inputs.size());
  // Inputs that share a forward. Sets with weights of their own cannot share one; without them, or
  // with an untouched tower, all inputs can. Images of a set stand together.
  const bool one_forward = footprint_.weights.empty() || !modifies_vision();
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].features.defined() && !modifies_vision())
      features[i] = inputs[i].features;
    else
      order.push_back(i);
  }
  const auto set_of = [&](std::size_t input) {
    return set_of_task_.at(static_cast<std::size_t>(inputs[input].task));
  };
  // The images of a step are all of one kind.
  const bool are_streams = !order.empty() && inputs[order.front()].stream.defined();
  const auto images_of = [&](std::size_t input) {
    return are_streams ? inputs[input].stream : inputs[input].pixels;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return set_of(a) < set_of(b); });
  for (std::size_t first = 0; first < order.size();) {
    std::vector<std::size_t> sets;
    std::vector<std::int64_t> set_sizes;
    std::vector<at::Tensor> images;
    std::size_t next = first;
    for (; next < order.size(); ++next) {
      const std::size_t set = set_of(order[next]);
      if (sets.empty() || sets.back() != set) {
        if (!sets.empty() && !one_forward) break;
        sets.push_back(set);
        set_sizes.push_back(0);
      }
      images.push_back(images_of(order[next]));
      set_sizes.back() += images.back().size(0);
    }
    const at::Tensor all = encode_images(prepared, sets, set_sizes, images, are_streams);
    std::int64_t offset = 0;
    for (; first < next; ++first) {
      const std::size_t i = order[first];
      const std::int64_t count = images_of(i).size(0);
      features[i] = all.narrow(0, offset, count);
      offset += count;
    }
  }
  return features;
}

AdaptedBackbone::Scores AdaptedBackbone::task_scores(const Prepared& prepared, std::size_t task,
                                                     const at::Tensor& features) const {
  const std::size_t set = set_of_task_[task];
  const clip::WeightOverrides& overrides = prepared.overrides[set];
  const at::Tensor scale = overrides.empty() ? logit_scale_ : backbone_.logit_scale(overrides);
  at::Tensor adapted = features;
  if (footprint_.vision.feature_adapters > 0)
    adapted = clip::adapt_features(features, tower_batch(prepared, false, {set}, {}, {}));

  at::Tensor logits;
  at::Tensor texts;
  if (footprint_.has_head) {
    const sdk::ClassHead& head = *prepared.changes[sets_[set].front()].head;
    logits = at::linear(head.unit_features ? clip::unit_length(adapted) : adapted, head.weight);
    logits = head.scale == 0.0 ? logits * scale : logits * head.scale;
    if (head.bias.defined()) logits = logits + head.bias;
  } else if (footprint_.text.conditioned) {
    texts = class_features_by_image(prepared, task, features);  // [B, C, E]
    logits =
        scale *
        at::matmul(clip::unit_length(texts), clip::unit_length(adapted).unsqueeze(2)).squeeze(2);
  } else {
    texts = prepared.class_features[task];
    logits = clip::similarity_logits(adapted, texts, scale);
  }
  for (const std::size_t source : sets_[set]) {
    for (const sdk::CacheHead& cache : prepared.changes[source].caches) {
      const at::Tensor affinity =
          at::linear(clip::unit_length(adapted), cache.keys);  // [B, n_examples]
      logits =
          logits + at::matmul(at::exp((affinity - 1.0) * cache.beta), cache.values) * cache.alpha;
    }
  }
  return {logits.to(at::kFloat), adapted, texts, scale};
}

std::vector<at::Tensor> AdaptedBackbone::logits(const Prepared& prepared,
                                                const std::vector<TaskImages>& inputs) {
  const std::vector<at::Tensor> features = image_features(prepared, inputs);
  std::vector<at::Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.push_back(
        task_scores(prepared, static_cast<std::size_t>(inputs[i].task), features[i]).logits);
  }
  return result;
}

}  // namespace petlab::engine
