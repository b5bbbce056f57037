#pragma once

#include "attention_rows.hpp"
#include "shared_sequences.hpp"

#include <cstdint>
#include <tuple>
#include <vector>

namespace petlab::kernels {

/// The small matrices of a task.
struct SharedScratch {
  std::int64_t width;               // of a head
  std::int64_t row;                 // of matrices with a row a position: `width`, padded
  std::int64_t most;                // positions, padded
  std::vector<float> keys, values;  // [positions, row]
  std::vector<float> keys_across, values_across;  // [width, most]
  std::vector<float> query, out;                  // [queries, row]
  std::vector<float> weights, changes;            // [queries, most]
  std::vector<float> grad_keys, grad_values;      // [positions, row]
  std::vector<float> grad_query;                  // [queries, row]
  std::vector<SharedSequences::Position> asked;
  std::vector<std::int64_t> n_seen;  // keys that a query sees

  SharedScratch(const SharedSequences::Impl& sequences, std::int64_t head_width, bool backward)
      : width(head_width), row(padded(head_width)), most(padded(sequences.longest)) {
    const auto by_position = static_cast<std::size_t>(most * row);
    const auto square = static_cast<std::size_t>(most * most);
    const auto across = static_cast<std::size_t>(width * most);
    keys_across.resize(across);
    values.resize(by_position);
    query.resize(by_position);
    out.resize(by_position);
    weights.resize(square);
    if (!backward) return;
    keys.resize(by_position);
    values_across.resize(across);
    changes.resize(square);
    grad_keys.resize(by_position);
    grad_values.resize(by_position);
    grad_query.resize(by_position);
  }
};

/// Keys and values of a head.
template <typename T>
struct Source {
  const T* q;
  const T* k;
  const T* v;
  std::int64_t q_stride;
  std::int64_t kv_stride;
};

/// Where the gradients of a head go.
template <typename T>
struct Sink {
  const T* grad_out;
  T* q;
  T* k;
  T* v;
  std::int64_t out_stride;
};

/// One task for one head, for one thread.
template <typename T>
struct SharedAttentionTask {
  void (*forward)(const Source<T>& in, const SharedSequences::Impl& sequences,
                  const SharedTask& task, T* out, std::int64_t out_stride, SharedScratch& s);
  /// `prefix_grads` [2, P, row] takes the task's part of the prefix's gradients.
  void (*backward)(const Source<T>& in, const Sink<T>& to, const SharedSequences::Impl& sequences,
                   const SharedTask& task, float* prefix_grads, SharedScratch& s);
};

/// For the types that a run has.
[[nodiscard]] std::tuple<SharedAttentionTask<float>, SharedAttentionTask<Bfloat16>>
shared_attention_tasks();

}  // namespace petlab::kernels
