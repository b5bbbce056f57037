#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace petlab::kernels {

/// Causal sequences whose positions are rows of one matrix, in any order, so that rows can be
/// shared: all sequences of a group begin with the same prefix, and prefixes may have rows in
/// common. Made once for a batch of texts and used by every layer and step.
class SharedSequences {
 public:
  struct Position {
    std::int32_t row = 0;    ///< of the keys and values
    std::int32_t out = -1;   ///< row of the output that its query makes; -1: nobody needs it
    std::int32_t query = 0;  ///< row of the query, where there is one
  };
  using Sequence = std::vector<Position>;
  struct Group {
    Sequence prefix;                  ///< of the same length in all groups, at least 1
    std::vector<Sequence> sequences;  ///< what follows it, each of length 1 or more
  };

  /// `n_rows` and `n_out` are the rows of keys and of the output; every row of the output is made
  /// by one query.
  SharedSequences(const std::vector<Group>& groups, std::int64_t n_rows, std::int64_t n_out);
  ~SharedSequences();
  SharedSequences(SharedSequences&&) noexcept;
  SharedSequences& operator=(SharedSequences&&) noexcept;

  [[nodiscard]] std::int64_t n_rows() const;
  [[nodiscard]] std::int64_t n_out() const;

  /// Pairs of a query that is needed and a key that it sees.
  [[nodiscard]] std::int64_t n_pairs() const;

  struct Impl;
  [[nodiscard]] const std::shared_ptr<const Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// Who computes shared_attention(): `fastest` takes the CPU's own kernel for fp32 and bf16 tensors
/// of the CPU, LibTorch's operations for all others.
enum class AttentionPath : std::uint32_t { fastest, library };

/// Causal multi-head self-attention of `sequences`: a position sees the positions before it in its
/// own prefix and sequence, and itself. qkv [R, 3 W]: queries, keys and values side by side,
/// `heads` heads each -> [n_out, W]. Differentiable; bit-equal from call to call and for any number
/// of threads.
[[nodiscard]] at::Tensor shared_attention(const at::Tensor& qkv, std::int64_t heads,
                                          const SharedSequences& sequences,
                                          AttentionPath path = AttentionPath::fastest);

/// The same with queries of their own: q [Q, W], kv [R, 2 W].
[[nodiscard]] at::Tensor shared_attention(const at::Tensor& q, const at::Tensor& kv,
                                          std::int64_t heads, const SharedSequences& sequences,
                                          AttentionPath path = AttentionPath::fastest);

}  // namespace petlab::kernels
