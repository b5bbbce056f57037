#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace petlab::tests {

/// What a repeat of a run must have in common with it to the last bit.
struct StoredResult {
  std::string trained_hash;
  std::vector<std::pair<std::int64_t, double>> predictions;  ///< class and its probability
  std::vector<double> losses;                                ///< of the epochs
  std::vector<double> test_losses;                           ///< of the tasks

  bool operator==(const StoredResult&) const = default;
};

/// Those of the finished runs of study `small` with the first of their seeds, by row.
[[nodiscard]] std::map<std::string, StoredResult> stored_results(const std::filesystem::path& file);

}  // namespace petlab::tests
