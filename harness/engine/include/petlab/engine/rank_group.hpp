#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>

namespace petlab::engine {

/// The processes that compute one run together, each with its number. All of them make the same
/// calls in the same order.
class RankGroup {
 public:
  virtual ~RankGroup() = default;

  [[nodiscard]] virtual int rank() const = 0;  ///< 0 to size() - 1
  [[nodiscard]] virtual int size() const = 0;

  /// What each rank gives, in the order of the ranks: [size(), ...]. `mine` is a contiguous tensor
  /// on the CPU, of the same sizes and type for all. Throws RunStopped when a rank is gone.
  [[nodiscard]] virtual at::Tensor gather(const at::Tensor& mine) = 0;
};

/// Which of `count` things in a row are this rank's: [first, second), shared out evenly in the
/// order of the ranks.
[[nodiscard]] inline std::pair<std::int64_t, std::int64_t> part_of_rank(std::int64_t count,
                                                                        int rank, int size) {
  return {count * rank / size, count * (rank + 1) / size};
}

/// Throws Error(config), in all ranks alike, where they do not have the same text: `what` names it,
/// "checkpoint".
void require_same(RankGroup& ranks, const std::string& what, const std::string& text);

/// The sum of what the ranks give, added in their order.
[[nodiscard]] double sum_over_ranks(RankGroup& ranks, double mine);

}  // namespace petlab::engine
