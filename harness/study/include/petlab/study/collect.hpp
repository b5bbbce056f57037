#pragma once

#include "petlab/results/merge.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::study {

struct Collected {
  results::MergeReport merged;  ///< the sum over all results
  std::size_t shards = 0;       ///< results that were taken
  /// A sentence each: results that are no files, cannot be read or are not what their name says.
  /// They were set aside (NAME.unusable), and their runs count as not computed.
  std::vector<std::string> unusable = {};
};

/// Brings what workers published for the store (order_folders()) into it, one result at a time,
/// each by a merge of a copy: SQLite opens no file in the spool. A result that is in the store is
/// removed from the spool; one that differs from what the store has is kept there (NAME.differs).
/// A process that is ended in between leaves results that the next call takes. Throws Error(store)
/// when the store cannot be written.
[[nodiscard]] Collected collect(const std::filesystem::path& store);

}  // namespace petlab::study
