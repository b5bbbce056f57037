#include "petlab/core/adapted_backbone.hpp"

#include "petlab/sdk/error.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace petlab::core {
namespace {

// Patterns of tasks in a step whose packed texts are kept.
constexpr std::size_t kMaxTextPlans = 64;

/// The place of `value` in `list`, appended when it is not there.
template <typename T>
std::size_t place_of(std::vector<T>& list, const T& value) {
  const auto found = std::find(list.begin(), list.end(), value);
  if (found != list.end()) return static_cast<std::size_t>(found - list.begin());
  list.push_back(value);
  return list.size() - 1;
}

at::Tensor set_index(const std::vector<std::int64_t>& counts, c10::Device device) {
  std::vector<std::int64_t> sets;
  for (std::size_t set = 0; set < counts.size(); ++set) {
    sets.insert(sets.end(), static_cast<std::size_t>(counts[set]), static_cast<std::int64_t>(set));
  }
  return at::tensor(sets, at::kLong).to(device);
}

}  // namespace

AdaptedBackbone::AdaptedBackbone(const clip::Backbone& backbone, const Adapters& adapters,
                                 const std::vector<Task>& tasks, const std::string& text_template,
                                 const AdapterChecks& checks, Whereabouts& where)
    : backbone_(backbone), adapters_(adapters), checks_(checks), where_(where) {
  find_sets_and_lists(tasks, text_template);
  for (std::size_t a = 0; a < adapters.adapters.size(); ++a) {
    const at::NoGradGuard no_grad;
    const auto changes =
        where_.in_plugin("changes()", [&] { return adapters.adapters[a]->changes(); });
    const Footprint footprint = checks_.check_changes(changes);
    checks_.check_finite(changes);
    if (a == 0) footprint_ = footprint;
    if (footprint != footprint_) {
      throw sdk::Error(sdk::ErrorKind::plugin,
                       "the adapters of one method change different layers or weights");
    }
  }
  const at::NoGradGuard no_grad;
  logit_scale_ = backbone_.logit_scale();
}

void AdaptedBackbone::find_sets_and_lists(const std::vector<Task>& tasks,
                                          const std::string& text_template) {
  const std::size_t gap = text_template.find("{}");
  std::vector<std::vector<std::size_t>> sets;
  std::vector<std::vector<std::string>> lists;
  std::vector<std::string> texts;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    set_of_task_.push_back(place_of(sets, adapters_.arrangement.of_task.at(t)));
    const std::size_t known = lists.size();
    list_of_task_.push_back(place_of(lists, tasks[t].classes));
    if (lists.size() == known) continue;
    list_rows_.emplace_back(static_cast<std::int64_t>(texts.size()),
                            static_cast<std::int64_t>(tasks[t].classes.size()));
    for (const std::string& name : tasks[t].classes) {
      texts.push_back(std::string(text_template).replace(gap, 2, name));
    }
  }
  for (auto& adapters : sets)
    sets_.push_back({std::move(adapters)});
  frozen_class_features_.resize(lists.size());
  texts_ = backbone_.tokenizer().encode_batch(texts, backbone_.shape().context_length);
  texts_.ids = texts_.ids.to(backbone_.device());
  texts_.eot = texts_.eot.to(backbone_.device());
}

clip::TokenBatch AdaptedBackbone::tokens_of(const std::vector<std::size_t>& lists) const {
  std::vector<at::Tensor> ids;
  std::vector<at::Tensor> eot;
  for (const std::size_t list : lists) {
    const auto [first, count] = list_rows_[list];
    ids.push_back(texts_.ids.narrow(0, first, count));
    eot.push_back(texts_.eot.narrow(0, first, count));
  }
  if (lists.size() == 1) return {ids.front(), eot.front()};
  return {at::cat(ids), at::cat(eot)};
}

const AdaptedBackbone::TextPlan& AdaptedBackbone::text_plan(
    const std::vector<std::int64_t>& tasks) {
  const auto found = text_plans_.find(tasks);
  if (found != text_plans_.end()) return found->second;
  if (text_plans_.size() >= kMaxTextPlans) text_plans_.clear();

  TextPlan plan;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  // (set, class list)
  for (const std::int64_t task : tasks) {
    const auto t = static_cast<std::size_t>(task);
    (void)place_of(pairs, {set_of_task_[t], list_of_task_[t]});
  }
  // Texts of one set stand together, so that a set with weights of its own is one slice.
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::size_t> lists;
  std::vector<std::int64_t> texts_of_set;
  std::int64_t offset = 0;
  for (const auto& [set, list] : pairs) {
    if (plan.sets.empty() || plan.sets.back() != set) {
      plan.sets.push_back(set);
      texts_of_set.push_back(0);
    }
    plan.parts.push_back({set, list, offset});
    lists.push_back(list);
    offset += list_rows_[list].second;
    texts_of_set.back() += list_rows_[list].second;
  }
  for (const std::int64_t task : tasks) {
    const auto t = static_cast<std::size_t>(task);
    plan.part_of_task.push_back(place_of(pairs, {set_of_task_[t], list_of_task_[t]}));
  }
  plan.tokens = tokens_of(lists);
  if (plan.sets.size() > 1) plan.set_of_text = set_index(texts_of_set, backbone_.device());
  return text_plans_.emplace(tasks, std::move(plan)).first->second;
}

AdaptedBackbone::Prepared AdaptedBackbone::prepare(const std::vector<std::int64_t>& tasks) {
  Prepared prepared;
  prepared.changes.resize(adapters_.adapters.size());
  prepared.overrides.resize(sets_.size());
  prepared.class_features.resize(set_of_task_.size());
  std::vector<bool> called(adapters_.adapters.size());
  for (const std::int64_t task : tasks) {
    const std::size_t set = set_of_task_.at(static_cast<std::size_t>(task));
    for (const std::size_t a : sets_[set].adapters) {
      if (called[a]) continue;
      called[a] = true;
      prepared.changes[a] =
          where_.in_plugin("changes()", [&] { return adapters_.adapters[a]->changes(); });
      if (checks_.check_changes(prepared.changes[a]) != footprint_) {
        throw sdk::Error(sdk::ErrorKind::plugin,
                         "changes() gives other layers or weights than before, expected the same "
                         "at every step");
      }
      for (const auto& [name, value] : prepared.changes[a].weights) {
        prepared.overrides[set].emplace(name, value);
      }
    }
  }

  if (!touches_text()) {
    for (const std::int64_t task : tasks) {
      const auto t = static_cast<std::size_t>(task);
      prepared.class_features[t] = frozen_class_features(list_of_task_[t]);
    }
    return prepared;
  }
  const TextPlan& plan = text_plan(tasks);
  const at::Tensor features = encode_texts(prepared, plan);
  std::vector<at::Tensor> of_part;
  for (const auto& part : plan.parts) {
    of_part.push_back(features.narrow(0, part.offset, list_rows_[part.list].second));
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    prepared.class_features[static_cast<std::size_t>(tasks[i])] = of_part[plan.part_of_task[i]];
  }
  return prepared;
}

at::Tensor AdaptedBackbone::frozen_class_features(std::size_t list) {
  at::Tensor& features = frozen_class_features_[list];
  if (!features.defined()) {
    const at::NoGradGuard no_grad;
    features = backbone_.encode_text(tokens_of({list}));
  }
  return features;
}

clip::PromptBatch AdaptedBackbone::prompts(const Prepared& prepared, bool text,
                                           const std::vector<std::size_t>& sets,
                                           const at::Tensor& set_of_sample) const {
  const PromptShape& shape = text ? footprint_.text : footprint_.vision;
  if (shape.layers.empty()) return {};
  std::vector<std::vector<const sdk::TowerChanges*>> towers;
  for (const std::size_t set : sets) {
    auto& list = towers.emplace_back();
    for (const std::size_t a : sets_[set].adapters) {
      list.push_back(text ? &prepared.changes[a].text : &prepared.changes[a].vision);
    }
  }
  const sdk::BackboneShape& backbone = backbone_.shape();
  return clip::stack_prompts(towers, text ? backbone.text.layers : backbone.vision.layers,
                             set_of_sample);
}

at::Tensor AdaptedBackbone::encode_texts(const Prepared& prepared, const TextPlan& plan) {
  if (footprint_.weights.empty()) {
    return backbone_.encode_text(plan.tokens, prompts(prepared, true, plan.sets, plan.set_of_text));
  }
  // Weights differ from set to set: one forward each.
  std::vector<at::Tensor> features;
  for (std::size_t s = 0; s < plan.sets.size(); ++s) {
    const std::size_t set = plan.sets[s];
    std::vector<std::size_t> lists;
    for (const auto& part : plan.parts) {
      if (part.set == set) lists.push_back(part.list);
    }
    features.push_back(backbone_.encode_text(tokens_of(lists), prompts(prepared, true, {set}, {}),
                                             prepared.overrides[set]));
  }
  return features.size() == 1 ? features.front() : at::cat(features);
}

at::Tensor AdaptedBackbone::encode_pixels(const Prepared& prepared,
                                          const std::vector<std::size_t>& sets,
                                          const std::vector<std::size_t>& set_of_input,
                                          const std::vector<const TaskImages*>& inputs) {
  std::vector<at::Tensor> pixels;
  std::vector<std::int64_t> set_of_image;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    pixels.push_back(inputs[i]->pixels);
    const auto count = static_cast<std::size_t>(inputs[i]->pixels.size(0));
    set_of_image.insert(set_of_image.end(), count, static_cast<std::int64_t>(set_of_input[i]));
  }
  const at::Tensor all = pixels.size() == 1 ? pixels.front() : at::cat(pixels);
  images_encoded_ += all.size(0);
  if (!touches_vision()) {
    const at::NoGradGuard no_grad;
    return backbone_.encode_image(all);
  }
  at::Tensor set_of_sample;
  if (sets.size() > 1) set_of_sample = at::tensor(set_of_image, at::kLong).to(backbone_.device());
  return backbone_.encode_image(all, prompts(prepared, false, sets, set_of_sample),
                                prepared.overrides[sets.front()]);
}

std::vector<at::Tensor> AdaptedBackbone::image_features(const Prepared& prepared,
                                                        const std::vector<TaskImages>& inputs) {
  std::vector<at::Tensor> features(inputs.size());
  // Inputs that share a forward, with the sets among them. Sets with weights of their own cannot
  // share one; without them, or with an untouched tower, all inputs can.
  const bool one_forward = footprint_.weights.empty() || !touches_vision();
  std::vector<std::size_t> forwards;  // set of a forward; a single entry for one_forward
  std::vector<std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].features.defined() && !touches_vision()) {
      features[i] = inputs[i].features;
      continue;
    }
    const std::size_t set = set_of_task_.at(static_cast<std::size_t>(inputs[i].task));
    const std::size_t forward = place_of(forwards, one_forward ? std::size_t{0} : set);
    if (forward == members.size()) members.emplace_back();
    members[forward].push_back(i);
  }
  for (const auto& group : members) {
    std::vector<std::size_t> sets;
    std::vector<std::size_t> set_of_input;
    std::vector<const TaskImages*> images;
    for (const std::size_t i : group) {
      set_of_input.push_back(
          place_of(sets, set_of_task_[static_cast<std::size_t>(inputs[i].task)]));
      images.push_back(&inputs[i]);
    }
    const at::Tensor all = encode_pixels(prepared, sets, set_of_input, images);
    std::int64_t offset = 0;
    for (const std::size_t i : group) {
      features[i] = all.narrow(0, offset, inputs[i].pixels.size(0));
      offset += inputs[i].pixels.size(0);
    }
  }
  return features;
}

std::vector<at::Tensor> AdaptedBackbone::logits(const Prepared& prepared,
                                                const std::vector<TaskImages>& inputs) {
  const std::vector<at::Tensor> features = image_features(prepared, inputs);
  std::vector<at::Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto task = static_cast<std::size_t>(inputs[i].task);
    const clip::WeightOverrides& overrides = prepared.overrides[set_of_task_[task]];
    const at::Tensor scale = overrides.empty() ? logit_scale_ : backbone_.logit_scale(overrides);
    result.push_back(
        clip::similarity_logits(features[i], prepared.class_features[task], scale).to(at::kFloat));
  }
  return result;
}

}  // namespace petlab::core
