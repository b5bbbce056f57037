#include "shared_attention_tasks.hpp"
#include "shared_sequences.hpp"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>

#include <algorithm>
#include <tuple>
#include <vector>

// One task is some sequences of a group for one head.
namespace petlab::kernels {
namespace {

void round_row(const float* from, std::int64_t n, float* to) {
  std::copy_n(from, n, to);
}

void round_row(const float* from, std::int64_t n, Bfloat16* to) {
  for (std::int64_t d = 0; d < n; ++d)
    to[d].bits = c10::BFloat16(from[d]).x;
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
  const auto forward = std::get<SharedAttentionTask<T>>(shared_attention_tasks()).forward;
  at::parallel_for(0, n_tasks * shape.heads, 1, [&](std::int64_t begin, std::int64_t end) {
    SharedScratch scratch(sequences, shape.head_width, /*backward=*/false);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t head = i % shape.heads;
      forward(source_of(head, shape, q, k, v), sequences,
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
  const auto backward = std::get<SharedAttentionTask<T>>(shared_attention_tasks()).backward;
  const std::int64_t row = padded(shape.head_width);
  const std::int64_t of_task = 2 * sequences.prefix_length * row;
  std::vector<float> parts(static_cast<std::size_t>(n_tasks * shape.heads * of_task));
  at::parallel_for(0, n_tasks * shape.heads, 1, [&](std::int64_t begin, std::int64_t end) {
    SharedScratch scratch(sequences, shape.head_width, /*backward=*/true);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t head = i % shape.heads;
      const std::int64_t column = head * shape.head_width;
      const Sink<T> to{grad_out + column, grad_q + column, grad_k + column, grad_v + column,
                       shape.heads * shape.head_width};
      backward(source_of(head, shape, q, k, v), to, sequences,
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
          round_row(sums.data() + slot * row, shape.head_width,
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
PETLAB_INSTANTIATE(Bfloat16)
#undef PETLAB_INSTANTIATE

}  // namespace petlab::kernels
