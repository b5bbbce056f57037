#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace petlab::pretrain {

/// Pictures whose perceptual hashes differ in at most so many of 64 bits count as looking alike.
inline constexpr int kAlikeBits = 6;

/// A picture of the pool that looks like a picture of the evaluation.
struct Lookalike {
  std::int64_t picture = 0;     ///< of the pool
  std::int64_t evaluation = 0;  ///< the first of the evaluation pictures nearest to it
  int distance = 0;             ///< bits that differ
};

/// Pool pictures at most `distance` bits from some evaluation picture, in order. Both uint8
/// [N, S, S, 3]. Designers copy each other, so these are kept out of training whoever drew them.
/// Pictures of one colour look like nothing. Runs on `threads` threads; the result does not depend
/// on their number.
[[nodiscard]] std::vector<Lookalike> find_lookalikes(const at::Tensor& pool,
                                                     const at::Tensor& evaluation, int distance,
                                                     int threads);

}  // namespace petlab::pretrain
