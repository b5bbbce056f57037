#pragma once

#include "petlab/kernels/shared_attention.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <mutex>
#include <vector>

namespace petlab::kernels {

/// A part of SharedSequences::Impl::positions.
struct Stretch {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// Some sequences of a group: what one thread works on for one head.
struct SharedTask {
  std::int64_t group = 0;
  Stretch sequences;
  bool has_prefix_queries = false;  ///< the prefix's own queries are of this task too
};

/// The sequences as LibTorch's operations take them: padded, as indexes on a device.
struct PaddedSequences {
  at::Tensor prefix_rows;     ///< [G P]
  at::Tensor prefix_queries;  ///< [G P], or undefined where no prefix has a query
  at::Tensor rows;            ///< [N S], sequences of all groups, padded with a row of their own
  at::Tensor queries;         ///< [N Q], padded likewise
  at::Tensor group_of;        ///< [N], or undefined for one group
  at::Tensor mask;            ///< [N, 1, Q, P + S], true where a query sees a key
  at::Tensor out;             ///< [n_out]: row of [prefix queries; queries] that makes it
};

struct SharedSequences::Impl {
  std::vector<Position> positions;
  std::vector<Stretch> prefixes;        ///< one a group
  std::vector<Stretch> sequences;       ///< of all groups, one group after the other
  std::vector<Stretch> of_group;        ///< its sequences
  std::vector<SharedTask> tasks;        ///< a cut that does not depend on the number of threads
  std::vector<std::int32_t> slots;      ///< of the prefix positions of all groups: a place in...
  std::vector<std::int32_t> slot_rows;  ///< ...the different rows that prefixes have
  std::int64_t n_rows = 0;
  std::int64_t n_out = 0;
  std::int64_t n_pairs = 0;
  std::int64_t longest = 0;  ///< prefix and sequence
  std::int64_t prefix_length = 0;

  [[nodiscard]] PaddedSequences padded(c10::Device device) const;

 private:
  [[nodiscard]] PaddedSequences make_padded() const;
  mutable std::mutex mutex_;
  mutable std::vector<std::pair<c10::Device, PaddedSequences>> padded_;
};

/// Where the values of a matrix with several parts side by side lie.
struct AttentionShape {
  std::int64_t heads = 0;
  std::int64_t head_width = 0;
  std::int64_t q_stride = 0;   ///< of the rows of queries
  std::int64_t kv_stride = 0;  ///< of the rows of keys and values
};

/// The CPU's kernel. `T` is float or Bfloat16; sums are fp32. k and v point to the first key
/// and value.
template <typename T>
void shared_attention_forward(const SharedSequences::Impl& sequences, const AttentionShape& shape,
                              const T* q, const T* k, const T* v, T* out);

/// Its gradients. Those of queries and keys that are of no use are left as they are: hand in zeros.
template <typename T>
void shared_attention_backward(const SharedSequences::Impl& sequences, const AttentionShape& shape,
                               const T* q, const T* k, const T* v, const T* grad_out, T* grad_q,
                               T* grad_k, T* grad_v);

}  // namespace petlab::kernels
