#include "shared_sequences.hpp"
#include "small_matrices.hpp"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

// One task is some sequences of a group for one head. Its keys and values are gathered as fp32 into
// small matrices, the prefix once, so that all sums are products of dense matrices that lie in the
// nearest cache. Sequences are short: a whole row of scores is at hand and nothing is saved for the
// backward pass but the inputs.
namespace petlab::kernels {
namespace {

/// The small matrices of a task.
struct Scratch {
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

  Scratch(const SharedSequences::Impl& sequences, std::int64_t head_width, bool backward)
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

template <typename T>
PETLAB_INLINE void load(const T* from, std::int64_t n, float factor, float* to) {
  for (std::int64_t d = 0; d < n; ++d)
    to[d] = static_cast<float>(from[d]) * factor;
}

template <typename T>
PETLAB_INLINE void store(const float* from, std::int64_t n, float factor, T* to) {
  for (std::int64_t d = 0; d < n; ++d)
    to[d] = static_cast<T>(from[d] * factor);
}

PETLAB_INLINE void put_across(const float* from, std::int64_t n, std::int64_t place,
                              std::int64_t row, float* to) {
  for (std::int64_t d = 0; d < n; ++d)
    to[d * row + place] = from[d];
}

/// Keys and values of a head.
template <typename T>
struct Source {
  const T* q;
  const T* k;
  const T* v;
  std::int64_t q_stride;
  std::int64_t kv_stride;
};

/// Gathers the keys and values of a stretch of positions into places `first`...
template <typename T>
PETLAB_INLINE void gather(const Source<T>& in, const SharedSequences::Impl& sequences,
                          const Stretch& stretch, std::int64_t first, bool backward, Scratch& s) {
  for (std::int64_t i = 0; i < stretch.count; ++i) {
    const auto& position = sequences.positions[static_cast<std::size_t>(stretch.first + i)];
    const std::int64_t place = first + i;
    float* value = s.values.data() + place * s.row;
    load(in.v + position.row * in.kv_stride, s.width, 1.0F, value);
    // The query's buffer is free until the keys are gathered.
    float* key = backward ? s.keys.data() + place * s.row : s.query.data();
    load(in.k + position.row * in.kv_stride, s.width, 1.0F, key);
    put_across(key, s.width, place, s.most, s.keys_across.data());
    if (backward) put_across(value, s.width, place, s.most, s.values_across.data());
  }
}

/// Weights of the queries of a stretch, whose positions are `first`... and whose keys are gathered.
/// Returns the number of queries.
template <typename T>
PETLAB_INLINE std::int64_t weigh(const Source<T>& in, const SharedSequences::Impl& sequences,
                                 const Stretch& stretch, std::int64_t first, float scale,
                                 Scratch& s) {
  s.asked.clear();
  s.n_seen.clear();
  for (std::int64_t i = 0; i < stretch.count; ++i) {
    const auto& position = sequences.positions[static_cast<std::size_t>(stretch.first + i)];
    if (position.out < 0) continue;
    load(in.q + position.query * in.q_stride, s.width, scale,
         s.query.data() + static_cast<std::int64_t>(s.asked.size()) * s.row);
    s.asked.push_back(position);
    s.n_seen.push_back(first + i + 1);
  }
  const auto n_queries = static_cast<std::int64_t>(s.asked.size());
  const std::int64_t n_keys = first + stretch.count;
  multiply(s.query.data(), s.row, 1, s.keys_across.data(), s.most, s.weights.data(), s.most,
           n_queries, s.width, padded(n_keys), /*add=*/false);
  for (std::int64_t i = 0; i < n_queries; ++i)
    softmax(s.weights.data() + i * s.most, s.n_seen[static_cast<std::size_t>(i)], padded(n_keys));
  return n_queries;
}

template <typename T>
PETLAB_INLINE void attend(const Source<T>& in, const SharedSequences::Impl& sequences,
                          const Stretch& stretch, std::int64_t first, float scale, T* out,
                          std::int64_t out_stride, Scratch& s) {
  const std::int64_t n = weigh(in, sequences, stretch, first, scale, s);
  multiply(s.weights.data(), s.most, 1, s.values.data(), s.row, s.out.data(), s.row, n,
           first + stretch.count, s.row, /*add=*/false);
  for (std::int64_t i = 0; i < n; ++i)
    store(s.out.data() + i * s.row, s.width, 1.0F,
          out + s.asked[static_cast<std::size_t>(i)].out * out_stride);
}

template <typename T>
PETLAB_INLINE void forward_task(const Source<T>& in, const SharedSequences::Impl& sequences,
                                const SharedTask& task, T* out, std::int64_t out_stride,
                                Scratch& s) {
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

/// Where the gradients of a head go.
template <typename T>
struct Sink {
  const T* grad_out;
  T* q;
  T* k;
  T* v;
  std::int64_t out_stride;
};

/// Adds to the gradients of the keys and values before `first` and sets those from there on.
template <typename T>
PETLAB_INLINE void walk_back(const Source<T>& in, const Sink<T>& to,
                             const SharedSequences::Impl& sequences, const Stretch& stretch,
                             std::int64_t first, float scale, Scratch& s) {
  const std::int64_t n = weigh(in, sequences, stretch, first, scale, s);
  const std::int64_t n_keys = first + stretch.count;
  for (std::int64_t i = 0; i < n; ++i)
    load(to.grad_out + s.asked[static_cast<std::size_t>(i)].out * to.out_stride, s.width, 1.0F,
         s.out.data() + i * s.row);
  multiply(s.out.data(), s.row, 1, s.values_across.data(), s.most, s.changes.data(), s.most, n,
           s.width, padded(n_keys), /*add=*/false);
  for (std::int64_t i = 0; i < n; ++i) {
    const float* weight = s.weights.data() + i * s.most;
    float* change = s.changes.data() + i * s.most;
    const std::int64_t n_seen = s.n_seen[static_cast<std::size_t>(i)];
    float mean = 0.0F;
    for (std::int64_t j = 0; j < n_seen; ++j)
      mean += weight[j] * change[j];
    for (std::int64_t j = 0; j < n_seen; ++j)
      change[j] = weight[j] * (change[j] - mean);
    for (std::int64_t j = n_seen; j < padded(n_keys); ++j)
      change[j] = 0.0F;
  }
  multiply(s.changes.data(), s.most, 1, s.keys.data(), s.row, s.grad_query.data(), s.row, n, n_keys,
           s.row, /*add=*/false);
  for (std::int64_t i = 0; i < n; ++i)
    store(s.grad_query.data() + i * s.row, s.width, scale,
          to.q + s.asked[static_cast<std::size_t>(i)].query * in.q_stride);
  const auto products = [&](const float* left, const float* right,
                            float* sum) __attribute__((always_inline)) {
    multiply(left, 1, s.most, right, s.row, sum, s.row, first, n, s.row, /*add=*/true);
    multiply(left + first, 1, s.most, right, s.row, sum + first * s.row, s.row, stretch.count, n,
             s.row, /*add=*/false);
  };
  products(s.changes.data(), s.query.data(), s.grad_keys.data());
  products(s.weights.data(), s.out.data(), s.grad_values.data());
}

/// `prefix_grads` [2, P, row] takes the task's part of the prefix's gradients.
template <typename T>
PETLAB_INLINE void backward_task(const Source<T>& in, const Sink<T>& to,
                                 const SharedSequences::Impl& sequences, const SharedTask& task,
                                 float* prefix_grads, Scratch& s) {
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
      store(s.grad_keys.data() + place, s.width, 1.0F, to.k + row * in.kv_stride);
      store(s.grad_values.data() + place, s.width, 1.0F, to.v + row * in.kv_stride);
    }
  }
  std::copy_n(s.grad_keys.data(), of_prefix, prefix_grads);
  std::copy_n(s.grad_values.data(), of_prefix, prefix_grads + of_prefix);
}

// The same code for three kinds of processors. Everything above is inlined into these.
#if defined(__x86_64__)
#define PETLAB_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define PETLAB_AVX2 __attribute__((target("avx2,fma")))
#endif

#define PETLAB_TASKS(NAME, TARGET)                                                            \
  template <typename T>                                                                       \
  TARGET void forward_##NAME(const Source<T>& in, const SharedSequences::Impl& sequences,     \
                             const SharedTask& task, T* out, std::int64_t out_stride,         \
                             Scratch& s) {                                                    \
    forward_task(in, sequences, task, out, out_stride, s);                                    \
  }                                                                                           \
  template <typename T>                                                                       \
  TARGET void backward_##NAME(const Source<T>& in, const Sink<T>& to,                         \
                              const SharedSequences::Impl& sequences, const SharedTask& task, \
                              float* prefix_grads, Scratch& s) {                              \
    backward_task(in, to, sequences, task, prefix_grads, s);                                  \
  }

PETLAB_TASKS(plain, )
#if defined(__x86_64__)
PETLAB_TASKS(avx2, PETLAB_AVX2)
PETLAB_TASKS(avx512, PETLAB_AVX512)
#endif

template <typename T>
struct Code {
  decltype(&forward_plain<T>) forward = forward_plain<T>;
  decltype(&backward_plain<T>) backward = backward_plain<T>;
};

template <typename T>
Code<T> choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return {forward_avx512<T>, backward_avx512<T>};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {forward_avx2<T>, backward_avx2<T>};
#endif
  return {};
}

template <typename T>
const Code<T>& code() {
  static const Code<T> chosen = choose<T>();
  return chosen;
}

template <typename T>
Source<T> source_of(std::int64_t head, const AttentionShape& shape, const T* q, const T* k,
                    const T* v) {
  const std::int64_t column = head * shape.head_width;
  return {q + column, k + column, v + column, shape.q_stride, shape.kv_stride};
}

}  // namespace

template <typename T>
void shared_attention_forward(const SharedSequences::Impl& sequences, const AttentionShape& shape,
                              const T* q, const T* k, const T* v, T* out) {
  const auto n_tasks = static_cast<std::int64_t>(sequences.tasks.size());
  at::parallel_for(0, n_tasks * shape.heads, 1, [&](std::int64_t begin, std::int64_t end) {
    Scratch scratch(sequences, shape.head_width, /*backward=*/false);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t head = i % shape.heads;
      code<T>().forward(source_of(head, shape, q, k, v), sequences,
                        sequences.tasks[static_cast<std::size_t>(i / shape.heads)],
                        out + head * shape.head_width, shape.heads * shape.head_width, scratch);
    }
  });
}

template <typename T>
void shared_attention_backward(const SharedSequences::Impl& sequences, const AttentionShape& shape,
                               const T* q, const T* k, const T* v, const T* grad_out, T* grad_q,
                               T* grad_k, T* grad_v) {
  const auto n_tasks = static_cast<std::int64_t>(sequences.tasks.size());
  const std::int64_t row = padded(shape.head_width);
  const std::int64_t of_task = 2 * sequences.prefix_length * row;
  std::vector<float> parts(static_cast<std::size_t>(n_tasks * shape.heads * of_task));
  at::parallel_for(0, n_tasks * shape.heads, 1, [&](std::int64_t begin, std::int64_t end) {
    Scratch scratch(sequences, shape.head_width, /*backward=*/true);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t head = i % shape.heads;
      const std::int64_t column = head * shape.head_width;
      const Sink<T> to{grad_out + column, grad_q + column, grad_k + column, grad_v + column,
                       shape.heads * shape.head_width};
      code<T>().backward(source_of(head, shape, q, k, v), to, sequences,
                         sequences.tasks[static_cast<std::size_t>(i / shape.heads)],
                         parts.data() + i * of_task, scratch);
    }
  });
  // Prefixes are of several tasks, and rows of several prefixes: one thread a head adds them up.
  const auto n_slots = static_cast<std::int64_t>(sequences.slot_rows.size());
  at::parallel_for(0, shape.heads, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> sums(static_cast<std::size_t>(n_slots * row));
    for (std::int64_t head = begin; head < end; ++head) {
      for (const bool is_key : {true, false}) {
        std::fill(sums.begin(), sums.end(), 0.0F);
        for (std::int64_t t = 0; t < n_tasks; ++t) {
          const std::int64_t group = sequences.tasks[static_cast<std::size_t>(t)].group;
          const float* part = parts.data() + (t * shape.heads + head) * of_task +
                              (is_key ? 0 : sequences.prefix_length * row);
          for (std::int64_t p = 0; p < sequences.prefix_length; ++p) {
            const std::int32_t slot =
                sequences.slots[static_cast<std::size_t>(group * sequences.prefix_length + p)];
            for (std::int64_t d = 0; d < shape.head_width; ++d)
              sums[static_cast<std::size_t>(slot * row + d)] += part[p * row + d];
          }
        }
        T* to = (is_key ? grad_k : grad_v) + head * shape.head_width;
        for (std::int64_t slot = 0; slot < n_slots; ++slot)
          store(sums.data() + slot * row, shape.head_width, 1.0F,
                to + sequences.slot_rows[static_cast<std::size_t>(slot)] * shape.kv_stride);
      }
    }
  });
}

#define PETLAB_INSTANTIATE(T)                                                                     \
  template void shared_attention_forward<T>(const SharedSequences::Impl&, const AttentionShape&,  \
                                            const T*, const T*, const T*, T*);                    \
  template void shared_attention_backward<T>(const SharedSequences::Impl&, const AttentionShape&, \
                                             const T*, const T*, const T*, const T*, T*, T*, T*);
PETLAB_INSTANTIATE(float)
PETLAB_INSTANTIATE(c10::BFloat16)
#undef PETLAB_INSTANTIATE

}  // namespace petlab::kernels
