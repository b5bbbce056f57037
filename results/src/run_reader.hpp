#pragma once

#include "petlab/results/run_store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string>

namespace petlab::results {

/// Reads runs one after the other with statements that are prepared once: what takes most of the
/// time when many runs are read. The database must outlive it.
class RunReader {
 public:
  RunReader(const SQLite::Database& db, LoadDetail detail);

  /// The run of this identity; nothing where there is none.
  std::optional<RunRecord> read(const std::string& hash);

 private:
  std::optional<std::int64_t> read_head(const std::string& hash, RunRecord& run);
  NamedValues read_values(std::int64_t run, const char* kind);
  void read_tasks(std::int64_t id, RunRecord& run);
  std::vector<ImagePrediction> read_predictions(std::int64_t run, std::int64_t task);
  Partition read_partition(std::int64_t run, std::int64_t place);
  std::optional<GroupingRecord> read_grouping(std::int64_t run);

  LoadDetail detail_;
  SQLite::Statement head_;
  SQLite::Statement values_;
  SQLite::Statement parameters_;
  SQLite::Statement costs_;
  SQLite::Statement epochs_;
  SQLite::Statement tasks_;
  SQLite::Statement predictions_;
  SQLite::Statement grouping_;
  SQLite::Statement grouping_tasks_;
  SQLite::Statement affinity_;
  SQLite::Statement partitions_;
  SQLite::Statement members_;
};

}  // namespace petlab::results
