#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/flop_counter.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

// The text side of an adapted backbone: class features.
namespace petlab::engine {
namespace {

// Texts in one forward where each image has class features of its own: bounds the memory of an
// evaluation, not that of a training step.
constexpr std::int64_t kMaxTextsInFlight = 1024;

}  // namespace

void AdaptedBackbone::add_class_features(Prepared& prepared,
                                         const std::vector<std::int64_t>& tasks) {
  if (footprint_.text.conditioned) return;  // they follow the image
  if (footprint_.text.empty() && !modifies_text()) {
    for (const std::int64_t task : tasks) {
      const auto t = static_cast<std::size_t>(task);
      prepared.class_features[t] = frozen_class_features(texts_.list_of_task(t));
    }
    return;
  }
  const ClassTexts::Plan& plan = texts_.plan(tasks, set_of_task_);
  const at::Tensor features = encode_texts(prepared, plan);
  std::vector<at::Tensor> of_part;
  for (const auto& part : plan.parts) {
    of_part.push_back(features.narrow(0, part.offset, texts_.n_classes(part.list)));
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    prepared.class_features[static_cast<std::size_t>(tasks[i])] = of_part[plan.part_of_task[i]];
  }
}

at::Tensor AdaptedBackbone::frozen_class_features(std::size_t list) {
  at::Tensor& features = frozen_class_features_[list];
  if (!features.defined()) {
    const at::NoGradGuard no_grad;
    const FlopPause once_a_run;
    features = backbone_.encode_text(texts_.tokens_of({list}));
  }
  return features;
}

/// The prompts of layer 0 of all adapters of a set, one row a class: [n_classes, n_prompt, width].
at::Tensor AdaptedBackbone::text_prompts(const Prepared& prepared, std::size_t set,
                                         std::int64_t n_classes) const {
  std::vector<at::Tensor> parts;
  for (const sdk::TowerChanges* changes : changes_of(prepared, set, /*text=*/true)) {
    const at::Tensor& tokens = changes->prompts.front().tokens;
    parts.push_back(tokens.dim() == 3 ? tokens : tokens.unsqueeze(0).expand({n_classes, -1, -1}));
  }
  if (parts.size() == 1) return parts.front();
  return footprint_.text.prompt_composition == sdk::PromptComposition::add ? at::stack(parts).sum(0)
                                                                           : at::cat(parts, 1);
}

at::Tensor AdaptedBackbone::encode_texts(const Prepared& prepared, const ClassTexts::Plan& plan) {
  const TowerFootprint& text = footprint_.text;
  if (!modifies_text()) {  // feature adapters alone: the tower is as it was
    std::vector<at::Tensor> frozen;
    for (const std::size_t list : plan.lists)
      frozen.push_back(frozen_class_features(list));
    return clip::adapt_features(frozen.size() == 1 ? frozen.front() : at::cat(frozen),
                                tower_batch(prepared, true, plan.sets, plan.texts_of_set, {}));
  }
  const auto encode = [&](const std::vector<ClassTexts::Plan::Part>& parts,
                          const clip::TokenBatch& tokens, clip::TowerBatch batch,
                          const clip::WeightOverrides& overrides) {
    std::vector<std::size_t> lists;
    std::vector<at::Tensor> rows;
    for (const auto& part : parts) {
      lists.push_back(part.list);
      if (text.by_class)
        rows.push_back(text_prompts(prepared, part.set, texts_.n_classes(part.list)));
    }
    if (text.by_class) {
      batch.layers = {rows.size() == 1 ? rows.front() : at::cat(rows)};
      batch.set_of_sample = texts_.each_its_own(tokens.ids.size(0));
    }
    if (text.class_position != sdk::ClassPosition::end && !batch.layers.empty())
      batch.token_order =
          texts_.token_order(lists, batch.layers.front().size(1), text.class_position);
    return clip::adapt_features(backbone_.encode_text(tokens, batch, overrides), batch);
  };
  if (footprint_.weights.empty()) {
    return encode(plan.parts, plan.tokens,
                  tower_batch(prepared, true, plan.sets, plan.texts_of_set, plan.set_of_text), {});
  }
  // Weights differ from set to set: one forward each.
  std::vector<at::Tensor> features;
  for (std::size_t s = 0; s < plan.sets.size(); ++s) {
    const std::size_t set = plan.sets[s];
    std::vector<ClassTexts::Plan::Part> parts;
    std::vector<std::size_t> lists;
    for (const auto& part : plan.parts) {
      if (part.set != set) continue;
      parts.push_back(part);
      lists.push_back(part.list);
    }
    features.push_back(encode(parts, texts_.tokens_of(lists),
                              tower_batch(prepared, true, {set}, {plan.texts_of_set[s]}, {}),
                              prepared.overrides[set]));
  }
  return features.size() == 1 ? features.front() : at::cat(features);
}

at::Tensor AdaptedBackbone::class_features_by_image(const Prepared& prepared, std::size_t task,
                                                    const at::Tensor& image_features) const {
  const std::size_t set = set_of_task_[task];
  const std::size_t list = texts_.list_of_task(task);
  const std::int64_t n_classes = texts_.n_classes(list);
  const at::Tensor f = clip::unit_length(image_features);
  const std::int64_t chunk = std::max<std::int64_t>(1, kMaxTextsInFlight / n_classes);
  std::vector<at::Tensor> features;
  for (std::int64_t first = 0; first < f.size(0); first += chunk) {
    const std::int64_t count = std::min(chunk, f.size(0) - first);
    const at::Tensor some = f.narrow(0, first, count);
    // Prompts of a class each where an adapter has such, else one row of prompts an image.
    std::int64_t n_rows = 1;
    std::vector<at::Tensor> parts;  // [count, 1 or n_classes, n_prompt, width] an adapter
    for (const sdk::TowerChanges* changes : changes_of(prepared, set, /*text=*/true)) {
      const sdk::PromptCondition& c = *changes->condition;
      const at::Tensor shift =
          at::linear(at::relu(at::linear(some, c.down, c.down_bias)), c.up, c.up_bias);
      const at::Tensor& own = changes->prompts.front().tokens;
      const at::Tensor tokens_of_class = own.dim() == 3 ? own : own.unsqueeze(0);
      parts.push_back(tokens_of_class.unsqueeze(0) + shift.view({count, 1, 1, -1}));
      n_rows = std::max(n_rows, parts.back().size(1));
    }
    for (at::Tensor& part : parts)
      part = part.expand({count, n_rows, -1, -1});
    const at::Tensor prompts = parts.size() == 1 ? parts.front() : at::cat(parts, 2);
    const ClassTexts::Copies& copies = texts_.copies_of(list, count);
    clip::TowerBatch batch = tower_batch(prepared, true, {set}, {}, {});
    batch.layers = {prompts.reshape({count * n_rows, prompts.size(2), prompts.size(3)})};
    batch.set_of_sample =
        n_rows == 1 ? copies.image_of_text : texts_.each_its_own(count * n_classes);
    if (footprint_.text.class_position != sdk::ClassPosition::end)
      batch.token_order =
          texts_.token_order({list}, prompts.size(2), footprint_.text.class_position)
              .repeat({count, 1});
    features.push_back(
        clip::adapt_features(backbone_.encode_text(copies.tokens, batch, prepared.overrides[set]),
                             batch)
            .view({count, n_classes, -1}));
  }
  return features.size() == 1 ? features.front() : at::cat(features);
}

}  // namespace petlab::engine
