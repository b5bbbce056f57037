#pragma once

#include "petlab/results/run_store.hpp"
#include "sql/database.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace petlab::results {

/// Splits of a store that were read: one in the store never changes, and every run of a study names
/// one of a few. The database must outlive it.
class KnownSplits {
 public:
  explicit KnownSplits(const sql::Database& db) : db_(db) {}

  /// The split of this hash and data set, as RunStore::split() finds it; nullptr where the store
  /// has none. Good until the next call.
  const SplitRecord* find(const std::string& hash, const std::string& dataset);

 private:
  const sql::Database& db_;
  std::map<std::pair<std::string, std::string>, SplitRecord> splits_;  // by hash and data set
};

/// Reads runs one after the other with statements that are prepared once: what takes most of the
/// time when many runs are read. The database must outlive it.
class RunReader {
 public:
  RunReader(const sql::Database& db, LoadDetail detail);

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
  sql::Statement head_;
  sql::Statement values_;
  sql::Statement parameters_;
  sql::Statement costs_;
  sql::Statement epochs_;
  sql::Statement tasks_;
  sql::Statement predictions_;
  sql::Statement grouping_;
  sql::Statement grouping_tasks_;
  sql::Statement affinity_;
  sql::Statement partitions_;
  sql::Statement members_;
};

/// The same, and what is read is checked as it was when it was written: a run that contradicts
/// itself or its split is an Error(store) that names `path`. The predictions are counted whether
/// they are asked for or not. `splits` keeps those that were read, for the next reader too.
class CheckedRunReader {
 public:
  CheckedRunReader(const sql::Database& db, const std::filesystem::path& path, LoadDetail detail,
                   KnownSplits& splits);

  std::optional<RunRecord> read(const std::string& hash);

 private:
  const std::filesystem::path& path_;
  LoadDetail detail_;
  RunReader reader_;
  KnownSplits& splits_;
};

}  // namespace petlab::results
