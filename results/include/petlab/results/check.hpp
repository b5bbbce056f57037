#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::results {

/// What a store holds, and what in it cannot be.
struct StoreCheck {
  std::int64_t studies = 0;
  std::int64_t splits = 0;
  std::int64_t runs = 0;         ///< finished and failed
  std::int64_t predictions = 0;  ///< counted once more against the labels

  /// One sentence for each contradiction, at most 100 of them; empty for a store that is sound.
  std::vector<std::string> problems;
};

/// Looks at all of a store: SQLite's own checks of the file, its tables, views and triggers against
/// those that petlab makes, every split, study and run by the rules of RunStore::record(), every
/// prediction against the label of its image. Writes nothing. Throws base::Error(store) when the
/// file cannot be read as a store at all.
[[nodiscard]] StoreCheck check_store(const std::filesystem::path& store);

}  // namespace petlab::results
