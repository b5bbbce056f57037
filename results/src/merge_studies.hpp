#pragma once

#include "petlab/results/merge.hpp"
#include "sql/database.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::results {

struct StudyMerge {
  std::int64_t added = 0;
  std::vector<std::string> joined;       // one sentence each
  std::vector<std::string> renamed;      // one sentence each
  std::vector<std::string> differences;  // one sentence each
};

/// The part of merge_stores() that joins studies and their searches, inside its transaction.
StudyMerge merge_studies(const sql::Database& into, const std::filesystem::path& into_path,
                         const sql::Database& from, const std::filesystem::path& from_path,
                         const MergeOptions& options);

}  // namespace petlab::results
