#include "shared_attention_tasks.hpp"

#include <algorithm>
#include <cmath>

// clang-format off: Highway asks for this order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "shared_attention_tasks.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "attention_rows-inl.hpp"
#include "small_product-inl.hpp"
// clang-format on

// Keys and values of a task are gathered as fp32 into small matrices, the prefix once, so that all
// sums are products of dense matrices that lie in the nearest cache. Sequences are short: a whole
// row of scores is at hand and nothing is saved for the backward pass but the inputs.
HWY_BEFORE_NAMESPACE();
namespace petlab::kernels {
namespace HWY_NAMESPACE {

/// Scores of one query -> weights; those behind its `n_seen` keys become 0, up to `n`.
void softmax(float* scores, std::int64_t n_seen, std::int64_t n) {
  const Vector inverse = broadcast(1.0F / exponentials(scores, n_seen, n).sum);
  for (std::int64_t j = 0; j < n; j += kWidth)
    store(load(scores + j) * inverse, scores + j);
}

void put_across(const float* from, std::int64_t n, std::int64_t place, std::int64_t row,
                float* to) {
  for (std::int64_t d = 0; d < n; ++d)
    to[d * row + place] = from[d];
}

/// Gathers the keys and values of a stretch of positions into places `first`...
template <typename T>
void gather(const Source<T>& in, const SharedSequences::Impl& sequences, const Stretch& stretch,
            std::int64_t first, bool backward, SharedScratch& s) {
  for (std::int64_t i = 0; i < stretch.count; ++i) {
    const auto& position = sequences.positions[static_cast<std::size_t>(stretch.first + i)];
    const std::int64_t place = first + i;
    float* value = s.values.data() + place * s.row;
    copy_scaled(in.v + position.row * in.kv_stride, s.width, 1.0F, value);
    // The query's buffer is free until the keys are gathered.
    float* key = backward ? s.keys.data() + place * s.row : s.query.data();
    copy_scaled(in.k + position.row * in.kv_stride, s.width, 1.0F, key);
    put_across(key, s.width, place, s.most, s.keys_across.data());
    if (backward) put_across(value, s.width, place, s.most, s.values_across.data());
  }
}

/// Weights of the queries of a stretch, whose positions are `first`... and whose keys are gathered.
/// Returns the number of queries.
template <typename T>
std::int64_t weigh(const Source<T>& in, const SharedSequences::Impl& sequences,
                   const Stretch& stretch, std::int64_t first, float scale, SharedScratch& s) {
  s.asked.clear();
  s.n_seen.clear();
  for (std::int64_t i = 0; i < stretch.count; ++i) {
    const auto& position = sequences.positions[static_cast<std::size_t>(stretch.first + i)];
    if (position.out < 0) continue;
    copy_scaled(in.q + position.query * in.q_stride, s.width, scale,
                s.query.data() + static_cast<std::int64_t>(s.asked.size()) * s.row);
    s.asked.push_back(position);
    s.n_seen.push_back(first + i + 1);
  }
  const auto n_queries = static_cast<std::int64_t>(s.asked.size());
  const std::int64_t n_keys = first + stretch.count;
  multiply(n_queries, padded(n_keys) / kWidth, s.width, {s.query.data(), s.row, 1},
           s.keys_across.data(), s.most, s.weights.data(), s.most);
  for (std::int64_t i = 0; i < n_queries; ++i)
    softmax(s.weights.data() + i * s.most, s.n_seen[static_cast<std::size_t>(i)], padded(n_keys));
  return n_queries;
}

template <typename T>
void attend(const Source<T>& in, const SharedSequences::Impl& sequences, const Stretch& stretch,
            std::int64_t first, float scale, T* out, std::int64_t out_stride, SharedScratch& s) {
  const std::int64_t n = weigh(in, sequences, stretch, first, scale, s);
  multiply(n, s.row / kWidth, first + stretch.count, {s.weights.data(), s.most, 1}, s.values.data(),
           s.row, s.out.data(), s.row);
  for (std::int64_t i = 0; i < n; ++i)
    copy_scaled(s.out.data() + i * s.row, s.width, 1.0F,
                out + s.asked[static_cast<std::size_t>(i)].out * out_stride);
}

template <typename T>
void task_forward(const Source<T>& in, const SharedSequences::Impl& sequences,
                  const SharedTask& task, T* out, std::int64_t out_stride, SharedScratch& s) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(s.width));
  const Stretch prefix = sequences.prefixes[static_cast<std::size_t>(task.group)];
  gather(in, sequences, prefix, 0, /*backward=*/false, s);
  if (task.has_prefix_queries) attend(in, sequences, prefix, 0, scale, out, out_stride, s);
  for (std::int64_t i = 0; i < task.sequences.count; ++i) {
    const Stretch own = sequences.sequences[static_cast<std::size_t>(task.sequences.first + i)];
    gather(in, sequences, own, prefix.count, /*backward=*/false, s);
    attend(in, sequences, own, prefix.count, scale, out, out_stride, s);
  }
}

/// Adds to the gradients of the keys and values before `first` and sets those from there on.
template <typename T>
void walk_back(const Source<T>& in, const Sink<T>& to, const SharedSequences::Impl& sequences,
               const Stretch& stretch, std::int64_t first, float scale, SharedScratch& s) {
  const std::int64_t n = weigh(in, sequences, stretch, first, scale, s);
  const std::int64_t n_keys = first + stretch.count;
  for (std::int64_t i = 0; i < n; ++i)
    copy_scaled(to.grad_out + s.asked[static_cast<std::size_t>(i)].out * to.out_stride, s.width,
                1.0F, s.out.data() + i * s.row);
  multiply(n, padded(n_keys) / kWidth, s.width, {s.out.data(), s.row, 1}, s.values_across.data(),
           s.most, s.changes.data(), s.most);
  for (std::int64_t i = 0; i < n; ++i) {
    const float* weight = s.weights.data() + i * s.most;
    float* change = s.changes.data() + i * s.most;
    const std::int64_t n_seen = s.n_seen[static_cast<std::size_t>(i)];
    // change = weight (change - mean), 0 behind the keys that the query sees.
    Vector sum = zeros();
    for (std::int64_t j = 0; j < n_seen; j += kWidth)
      sum = multiply_add(load(weight + j), keep_first(n_seen - j, load(change + j)), sum);
    const Vector mean = broadcast(sum_of(sum));
    for (std::int64_t j = 0; j < padded(n_keys); j += kWidth)
      store(keep_first(n_seen - j, load(weight + j) * (load(change + j) - mean)), change + j);
  }
  multiply(n, s.row / kWidth, n_keys, {s.changes.data(), s.most, 1}, s.keys.data(), s.row,
           s.grad_query.data(), s.row);
  for (std::int64_t i = 0; i < n; ++i)
    copy_scaled(s.grad_query.data() + i * s.row, s.width, scale,
                to.q + s.asked[static_cast<std::size_t>(i)].query * in.q_stride);
  const auto products = [&](const float* left, const float* right, float* sum) {
    multiply</*kAdd=*/true>(first, s.row / kWidth, n, {left, 1, s.most}, right, s.row, sum, s.row);
    multiply(stretch.count, s.row / kWidth, n, {left + first, 1, s.most}, right, s.row,
             sum + first * s.row, s.row);
  };
  products(s.changes.data(), s.query.data(), s.grad_keys.data());
  products(s.weights.data(), s.out.data(), s.grad_values.data());
}

/// `prefix_grads` [2, P, row] takes the task's part of the prefix's gradients.
template <typename T>
void task_backward(const Source<T>& in, const Sink<T>& to, const SharedSequences::Impl& sequences,
                   const SharedTask& task, float* prefix_grads, SharedScratch& s) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(s.width));
  const Stretch prefix = sequences.prefixes[static_cast<std::size_t>(task.group)];
  const std::int64_t of_prefix = prefix.count * s.row;
  std::fill_n(s.grad_keys.data(), of_prefix, 0.0F);
  std::fill_n(s.grad_values.data(), of_prefix, 0.0F);
  gather(in, sequences, prefix, 0, /*backward=*/true, s);
  if (task.has_prefix_queries) walk_back(in, to, sequences, prefix, 0, scale, s);
  for (std::int64_t i = 0; i < task.sequences.count; ++i) {
    const Stretch own = sequences.sequences[static_cast<std::size_t>(task.sequences.first + i)];
    gather(in, sequences, own, prefix.count, /*backward=*/true, s);
    walk_back(in, to, sequences, own, prefix.count, scale, s);
    for (std::int64_t p = 0; p < own.count; ++p) {
      const std::int64_t row = sequences.positions[static_cast<std::size_t>(own.first + p)].row;
      const std::int64_t place = (prefix.count + p) * s.row;
      copy_scaled(s.grad_keys.data() + place, s.width, 1.0F, to.k + row * in.kv_stride);
      copy_scaled(s.grad_values.data() + place, s.width, 1.0F, to.v + row * in.kv_stride);
    }
  }
  std::copy_n(s.grad_keys.data(), of_prefix, prefix_grads);
  std::copy_n(s.grad_values.data(), of_prefix, prefix_grads + of_prefix);
}

template <typename T>
constexpr SharedAttentionTask<T> task_of() {
  return {task_forward<T>, task_backward<T>};
}

std::tuple<SharedAttentionTask<float>, SharedAttentionTask<Bfloat16>> tasks() {
  return {task_of<float>(), task_of<Bfloat16>()};
}

}  // namespace HWY_NAMESPACE
}  // namespace petlab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace petlab::kernels {

HWY_EXPORT(tasks);

std::tuple<SharedAttentionTask<float>, SharedAttentionTask<Bfloat16>> shared_attention_tasks() {
  return HWY_DYNAMIC_DISPATCH(tasks)();
}

}  // namespace petlab::kernels
#endif
