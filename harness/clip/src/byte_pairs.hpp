#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace petlab::clip {

/// The merges of a byte-pair vocabulary, on token ids.
class BytePairs {
 public:
  /// Adds the merge of next rank. False when the pair is there already.
  bool add(std::int32_t left, std::int32_t right, std::int32_t merged);

  /// Merges the pair of lowest rank, leftmost first, until none is left. O(n log n).
  [[nodiscard]] std::vector<std::int32_t> merge(const std::vector<std::int32_t>& symbols) const;

 private:
  struct Merge {
    std::int32_t rank = 0;
    std::int32_t token = 0;
  };
  [[nodiscard]] const Merge* find(std::int32_t left, std::int32_t right) const;

  std::unordered_map<std::uint64_t, Merge> merges_;
};

}  // namespace petlab::clip
