#include "petlab/engine/class_texts.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace petlab::engine {
namespace {

// Patterns of tasks in a step whose packed texts are kept.
constexpr std::size_t kMaxPlans = 64;

/// Before one more is kept.
template <typename Map>
void make_room(Map& kept) {
  if (kept.size() >= kMaxPlans) kept.clear();
}

at::Tensor set_index(const std::vector<std::int64_t>& counts, c10::Device device) {
  std::vector<std::int64_t> sets;
  for (std::size_t set = 0; set < counts.size(); ++set) {
    sets.insert(sets.end(), static_cast<std::size_t>(counts[set]), static_cast<std::int64_t>(set));
  }
  return at::tensor(sets, at::kLong).to(device);
}

}  // namespace

ClassTexts::ClassTexts(const clip::Backbone& backbone, const std::vector<Task>& tasks,
                       const std::string& text_template)
    : device_(backbone.device()), n_start_(backbone.tokenizer().has_start_token() ? 1 : 0) {
  const std::size_t gap = text_template.find("{}");
  std::vector<std::vector<std::string>> lists;
  std::vector<std::string> texts;
  for (const Task& task : tasks) {
    const std::size_t known = lists.size();
    list_of_task_.push_back(place_of(lists, task.classes));
    if (lists.size() == known) continue;
    list_rows_.emplace_back(static_cast<std::int64_t>(texts.size()),
                            static_cast<std::int64_t>(task.classes.size()));
    for (const std::string& name : task.classes) {
      texts.push_back(std::string(text_template).replace(gap, 2, name));
      name_lengths_.push_back(static_cast<std::int64_t>(backbone.tokenizer().encode(name).size()));
    }
  }
  texts_ = backbone.tokenizer().encode_batch(texts, backbone.shape().context_length);
  texts_.ids = texts_.ids.to(device_);
  texts_.eot = texts_.eot.to(device_);
}

const clip::TokenBatch& ClassTexts::tokens_of(const std::vector<std::size_t>& lists) const {
  const auto found = tokens_.find(lists);
  if (found != tokens_.end()) return found->second;
  make_room(tokens_);
  std::vector<at::Tensor> ids;
  std::vector<at::Tensor> eot;
  for (const std::size_t list : lists) {
    const auto [first, count] = list_rows_[list];
    ids.push_back(texts_.ids.narrow(0, first, count));
    eot.push_back(texts_.eot.narrow(0, first, count));
  }
  const bool one = lists.size() == 1;
  return tokens_
      .emplace(lists, clip::TokenBatch{.ids = one ? ids.front() : at::cat(ids),
                                       .eot = one ? eot.front() : at::cat(eot),
                                       .layouts = clip::keep_layouts()})
      .first->second;
}

const ClassTexts::Copies& ClassTexts::copies_of(std::size_t list, std::int64_t count) const {
  const auto found = copies_.find({list, count});
  if (found != copies_.end()) return found->second;
  make_room(copies_);
  const clip::TokenBatch& one = tokens_of({list});
  const at::Tensor images = at::arange(count, at::TensorOptions(at::kLong).device(device_));
  return copies_
      .emplace(std::pair(list, count),
               Copies{.tokens = {.ids = one.ids.repeat({count, 1}),
                                 .eot = one.eot.repeat({count}),
                                 .layouts = clip::keep_layouts()},
                      .image_of_text = images.repeat_interleave(n_classes(list))})
      .first->second;
}

const at::Tensor& ClassTexts::each_its_own(std::int64_t n) const {
  at::Tensor& known = each_its_own_[n];
  if (!known.defined()) known = at::arange(n, at::TensorOptions(at::kLong).device(device_));
  return known;
}

const at::Tensor& ClassTexts::token_order(const std::vector<std::size_t>& lists,
                                          std::int64_t n_prompt,
                                          sdk::ClassPosition position) const {
  const auto found = orders_.find({lists, n_prompt, position});
  if (found != orders_.end()) return found->second;
  make_room(orders_);
  const std::int64_t n_before = position == sdk::ClassPosition::middle ? n_prompt / 2 : 0;
  const std::int64_t length = texts_.ids.size(1) + n_prompt;
  std::vector<std::int64_t> order;
  std::int64_t n_texts = 0;
  for (const std::size_t list : lists) {
    const auto [first, count] = list_rows_[list];
    for (std::int64_t row = first; row < first + count; ++row, ++n_texts) {
      const std::int64_t name = name_lengths_[static_cast<std::size_t>(row)];
      // Sequence: start (not of SigLIP), prompts, class name, rest. Wanted: start, some prompts,
      // name, others, rest.
      const auto append = [&order](std::int64_t from, std::int64_t to) {
        for (std::int64_t i = from; i < to; ++i)
          order.push_back(i);
      };
      const std::int64_t first_name = n_start_ + n_prompt;
      const std::int64_t end_of_name = std::min(first_name + name, length);
      append(0, n_start_ + n_before);
      append(first_name, end_of_name);
      append(n_start_ + n_before, first_name);
      append(end_of_name, length);
    }
  }
  return orders_
      .emplace(std::tuple(lists, n_prompt, position),
               at::tensor(order, at::kLong).view({n_texts, length}).to(device_))
      .first->second;
}

const ClassTexts::Plan& ClassTexts::plan(const std::vector<std::int64_t>& tasks,
                                         const std::vector<std::size_t>& set_of_task) {
  const auto found = plans_.find(tasks);
  if (found != plans_.end()) return found->second;
  make_room(plans_);

  Plan plan;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  // (set, class list)
  for (const std::int64_t task : tasks) {
    const auto t = static_cast<std::size_t>(task);
    (void)place_of(pairs, {set_of_task[t], list_of_task_[t]});
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::int64_t offset = 0;
  for (const auto& [set, list] : pairs) {
    if (plan.sets.empty() || plan.sets.back() != set) {
      plan.sets.push_back(set);
      plan.texts_of_set.push_back(0);
    }
    plan.parts.push_back({set, list, offset});
    plan.lists.push_back(list);
    offset += list_rows_[list].second;
    plan.texts_of_set.back() += list_rows_[list].second;
  }
  for (const std::int64_t task : tasks) {
    const auto t = static_cast<std::size_t>(task);
    plan.part_of_task.push_back(place_of(pairs, {set_of_task[t], list_of_task_[t]}));
  }
  plan.tokens = tokens_of(plan.lists);
  if (plan.sets.size() > 1) plan.set_of_text = set_index(plan.texts_of_set, device_);
  return plans_.emplace(tasks, std::move(plan)).first->second;
}

}  // namespace petlab::engine
