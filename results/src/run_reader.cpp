#include "run_reader.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "predictions.hpp"
#include "queries.hpp"
#include "record_columns.hpp"
#include "run_checks.hpp"
#include "statements.hpp"
#include "store.hpp"

#include <utility>

namespace petlab::results {
namespace {

// A prepared statement with its values bound, to be stepped through; ready for other values when
// this goes away.
class Rows {
 public:
  template <class... Values>
  explicit Rows(sql::Statement& statement, const Values&... values) : statement_(statement) {
    bind_all(statement_, values...);
  }
  ~Rows() { statement_.reset(); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool next() { return statement_.step(); }
  sql::Column column(int index) const { return statement_.column(index); }
  sql::Column operator[](int index) const { return column(index); }

 private:
  sql::Statement& statement_;
};

// The records of a table whose rows belong to the run in an order.
template <class Columns, class Record>
void read_list(sql::Statement& statement, std::int64_t run, const Columns& columns,
               std::vector<Record>& records) {
  Rows row(statement, run);
  while (row.next())
    read_columns(row, 0, columns, records.emplace_back());
}

}  // namespace

RunReader::RunReader(const sql::Database& db, LoadDetail detail)
    : detail_(detail),
      head_(db, "SELECT r.run_id, COALESCE(s.hash, ''), COALESCE(d.hash, ''), " +
                    column_names(kRunColumns, "r") +
                    " FROM runs r LEFT JOIN splits s USING (split_id) "
                    "LEFT JOIN datasets d USING (dataset_id) WHERE r.identity = ?"),
      values_(db,
              "SELECT name, value FROM run_values WHERE run_id = ? AND kind = ? "
              "ORDER BY position"),
      parameters_(db, "SELECT " + column_names(kParameterColumns) +
                          " FROM parameter_counts WHERE run_id = ? ORDER BY position"),
      costs_(db, "SELECT " + column_names(kCostColumns) +
                     " FROM phase_costs WHERE run_id = ? ORDER BY position"),
      epochs_(db, "SELECT " + column_names(kEpochColumns) +
                      " FROM epochs WHERE run_id = ? ORDER BY position"),
      tasks_(db, "SELECT t.task_id, t.name, " + column_names(kTaskResultColumns, "x") +
                     " FROM task_results x JOIN runs r USING (run_id) "
                     "JOIN tasks t ON t.task_id = x.task_id "
                     "JOIN split_tasks o ON o.split_id = r.split_id AND o.task_id = x.task_id "
                     "WHERE x.run_id = ? ORDER BY o.position"),
      predictions_(db, "SELECT format, data FROM predictions WHERE run_id = ? AND task_id = ?"),
      grouping_(db,
                "SELECT " + column_names(kGroupingColumns) + " FROM groupings WHERE run_id = ?"),
      grouping_tasks_(db, "SELECT task FROM grouping_tasks WHERE run_id = ? ORDER BY position"),
      affinity_(db,
                "SELECT value FROM grouping_affinity WHERE run_id = ? "
                "ORDER BY row_position, col_position"),
      partitions_(db,
                  "SELECT place, score FROM grouping_partitions WHERE run_id = ? ORDER BY place"),
      members_(db,
               "SELECT group_index, task FROM grouping_members WHERE run_id = ? AND place = ? "
               "ORDER BY group_index, position") {}

// Nothing where there is no such run.
std::optional<std::int64_t> RunReader::read_head(const std::string& hash, RunRecord& run) {
  Rows row(head_, hash);
  if (!row.next()) return std::nullopt;
  run.identity.hash = hash;
  run.split_hash = row[1].text();
  run.dataset_hash = row[2].text();
  read_columns(row, 3, kRunColumns, run);
  run.error = base::message_line(run.error);  // of a plugin, and maybe of somebody's file
  return row[0].integer();
}

NamedValues RunReader::read_values(std::int64_t run, const char* kind) {
  NamedValues values;
  Rows row(values_, run, std::string(kind));
  while (row.next())
    values.emplace_back(row[0].text(), row[1].text());
  return values;
}

std::vector<ImagePrediction> RunReader::read_predictions(std::int64_t run, std::int64_t task) {
  Rows row(predictions_, run, task);
  if (!row.next()) return {};
  if (row[0].integer() != kPredictionFormat)
    throw base::Error(base::ErrorKind::store, "its predictions are packed in format " +
                                                  std::to_string(row[0].integer()) + ", expected " +
                                                  std::to_string(kPredictionFormat));
  return unpack_predictions(row[1].text());
}

void RunReader::read_tasks(std::int64_t id, RunRecord& run) {
  Rows row(tasks_, id);
  while (row.next()) {
    TaskResult& result = run.tasks.emplace_back();
    result.task = row[1].text();
    read_columns(row, 2, kTaskResultColumns, result);
    if (detail_ == LoadDetail::everything)
      result.predictions = read_predictions(id, row[0].integer());
  }
}

Partition RunReader::read_partition(std::int64_t run, std::int64_t place) {
  Partition partition;
  Rows row(members_, run, place);
  while (row.next()) {
    const auto group = static_cast<std::size_t>(row[0].integer());
    if (partition.size() <= group) partition.resize(group + 1);
    partition[group].push_back(row[1].text());
  }
  return partition;
}

std::optional<GroupingRecord> RunReader::read_grouping(std::int64_t run) {
  GroupingRecord grouping;
  {
    Rows head(grouping_, run);
    if (!head.next()) return std::nullopt;
    read_columns(head, 0, kGroupingColumns, grouping);
  }
  Rows tasks(grouping_tasks_, run);
  while (tasks.next())
    grouping.tasks.push_back(tasks[0].text());
  Rows affinity(affinity_, run);
  while (affinity.next())
    read_one(affinity[0], grouping.affinity.emplace_back());
  Rows places(partitions_, run);
  while (places.next()) {
    const std::int64_t place = places[0].integer();
    const double score = places[1].real();
    Partition partition = read_partition(run, place);
    if (place == 0) {
      grouping.partition = std::move(partition);
      grouping.score = score;
    } else {
      grouping.runners_up.push_back({std::move(partition), score});
    }
  }
  return grouping;
}

std::optional<RunRecord> RunReader::read(const std::string& hash) {
  RunRecord run;
  const std::optional<std::int64_t> id = read_head(hash, run);
  if (!id) return std::nullopt;
  run.identity.parts = read_values(*id, "identity");
  run.options = read_values(*id, "option");
  run.protocol = read_values(*id, "protocol");
  run.environment = read_values(*id, "environment");
  read_list(parameters_, *id, kParameterColumns, run.parameters);
  read_list(costs_, *id, kCostColumns, run.costs);
  read_list(epochs_, *id, kEpochColumns, run.epochs);
  read_tasks(*id, run);
  run.grouping = read_grouping(*id);
  return run;
}

const SplitRecord* KnownSplits::find(const std::string& hash, const std::string& dataset) {
  constexpr std::size_t kKept = 16;
  const auto key = std::pair(hash, dataset);
  if (const auto known = splits_.find(key); known != splits_.end()) return &known->second;
  std::optional<SplitRecord> split = read_split(db_, hash, dataset);
  if (!split) return nullptr;
  if (splits_.size() >= kKept) splits_.clear();
  return &splits_.emplace(key, *std::move(split)).first->second;
}

CheckedRunReader::CheckedRunReader(const sql::Database& db, const std::filesystem::path& path,
                                   LoadDetail detail, KnownSplits& splits)
    : path_(path), detail_(detail), reader_(db, LoadDetail::everything), splits_(splits) {}

std::optional<RunRecord> CheckedRunReader::read(const std::string& hash) {
  std::optional<RunRecord> run = reader_.read(hash);
  if (!run) return std::nullopt;
  check_run(path_, *run);
  if (run->status == RunStatus::done) {
    const SplitRecord* split = splits_.find(run->split_hash, run->dataset_hash);
    if (split == nullptr)
      throw store_error(path_, "run " + quoted_hash(hash) + " names split " +
                                   quoted_hash(run->split_hash) + ", which is not there");
    check_against_split(path_, *run, *split);
  }
  if (detail_ == LoadDetail::without_predictions)
    for (TaskResult& task : run->tasks)
      task.predictions = {};
  return run;
}

bool is_done(const sql::Database& db, const std::string& hash) {
  return find_id(db, "SELECT 1 FROM runs WHERE identity = ? AND status = 'done'", hash).has_value();
}

}  // namespace petlab::results
