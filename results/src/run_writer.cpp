#include "petlab/base/text.hpp"
#include "predictions.hpp"
#include "queries.hpp"
#include "record_columns.hpp"
#include "statements.hpp"

namespace petlab::results {
namespace {

std::optional<std::int64_t> split_of(const sql::Database& db, const RunRecord& run) {
  return run.split_hash.empty() ? std::nullopt : find_split(db, run.split_hash, run.dataset_hash);
}

std::int64_t write_head(const sql::Database& db, const RunRecord& run, std::int64_t attempts) {
  // A server keeps valid UTF-8 alone; a plugin may say anything. Whoever reads it gets this form.
  if (db.engine() == sql::Engine::postgresql && !base::is_plain_text(run.error)) {
    RunRecord plain = run;
    plain.error = base::message_line(run.error, run.error.size());
    if (plain.error.empty()) plain.error = base::escaped(run.error);
    return write_head(db, plain, attempts);
  }
  const std::optional<std::int64_t> split = split_of(db, run);
  sql::Statement statement(
      db,
      insert_statement("runs", "identity, attempts, split_id", kRunColumns) + " RETURNING run_id");
  bind_record(statement, kRunColumns, run, run.identity.hash, attempts, split);
  return inserted_id(statement);
}

void write_values(const sql::Database& db, std::int64_t run, const std::string& kind,
                  const NamedValues& values) {
  sql::Statement insert(
      db, "INSERT INTO run_values (run_id, kind, position, name, value) VALUES (?, ?, ?, ?, ?)");
  std::int64_t position = 0;
  for (const auto& [name, value] : values)
    execute(insert, run, kind, position++, name, value);
}

// A table whose rows belong to the run in an order: its parameter counts, costs, epochs.
template <class Columns, class Record>
void write_list(const sql::Database& db, const char* table, const Columns& columns,
                std::int64_t run, const std::vector<Record>& records) {
  sql::Statement statement(db, insert_statement(table, "run_id, position", columns));
  std::int64_t position = 0;
  for (const Record& one : records)
    insert(statement, columns, one, run, position++);
}

void write_tasks(const sql::Database& db, std::int64_t run, std::optional<std::int64_t> split,
                 const std::vector<TaskResult>& tasks) {
  sql::Statement insert_result(
      db, insert_statement("task_results", "run_id, task_id", kTaskResultColumns));
  sql::Statement insert_predictions(
      db, "INSERT INTO predictions (run_id, task_id, format, data) VALUES (?, ?, ?, ?)");
  for (const TaskResult& one : tasks) {
    const std::int64_t task =
        find_id(db,
                "SELECT t.task_id FROM split_tasks o JOIN tasks t USING (task_id) "
                "WHERE o.split_id = ? AND t.name = ?",
                split.value(), one.task)
            .value();
    insert(insert_result, kTaskResultColumns, one, run, task);
    const std::string packed = pack_predictions(one.predictions);
    bind_all(insert_predictions, run, task, std::int64_t{kPredictionFormat});
    insert_predictions.bind_bytes(4, packed);
    insert_predictions.send();
  }
}

void write_partition(const sql::Database& db, std::int64_t run, std::int64_t place,
                     const Partition& partition, double score) {
  execute(db, "INSERT INTO grouping_partitions (run_id, place, score) VALUES (?, ?, ?)", run, place,
          score);
  sql::Statement insert(db,
                        "INSERT INTO grouping_members (run_id, place, group_index, position, "
                        "task) VALUES (?, ?, ?, ?, ?)");
  for (std::size_t group = 0; group < partition.size(); ++group) {
    for (std::size_t i = 0; i < partition[group].size(); ++i) {
      execute(insert, run, place, static_cast<std::int64_t>(group), static_cast<std::int64_t>(i),
              partition[group][i]);
    }
  }
}

void write_grouping(const sql::Database& db, std::int64_t run, const GroupingRecord& grouping) {
  sql::Statement head(db, insert_statement("groupings", "run_id", kGroupingColumns));
  insert(head, kGroupingColumns, grouping, run);
  const std::size_t n = grouping.tasks.size();
  for (std::size_t i = 0; i < n; ++i) {
    execute(db, "INSERT INTO grouping_tasks (run_id, position, task) VALUES (?, ?, ?)", run,
            static_cast<std::int64_t>(i), grouping.tasks[i]);
  }
  sql::Statement value(db,
                       "INSERT INTO grouping_affinity (run_id, row_position, col_position, "
                       "value) VALUES (?, ?, ?, ?)");
  for (std::size_t i = 0; i < grouping.affinity.size(); ++i) {
    execute(value, run, static_cast<std::int64_t>(i / n), static_cast<std::int64_t>(i % n),
            grouping.affinity[i]);
  }
  std::int64_t place = 0;
  write_partition(db, run, place++, grouping.partition, grouping.score);
  for (const ScoredPartition& other : grouping.runners_up) {
    write_partition(db, run, place++, other.partition, other.score);
  }
}

}  // namespace

void write_run(const sql::Database& db, const RunRecord& run, std::int64_t attempts) {
  const std::int64_t id = write_head(db, run, attempts);
  write_values(db, id, "identity", run.identity.parts);
  write_values(db, id, "option", run.options);
  write_values(db, id, "protocol", run.protocol);
  write_values(db, id, "environment", run.environment);
  write_list(db, "parameter_counts", kParameterColumns, id, run.parameters);
  write_list(db, "phase_costs", kCostColumns, id, run.costs);
  write_list(db, "epochs", kEpochColumns, id, run.epochs);
  write_tasks(db, id, split_of(db, run), run.tasks);
  if (run.grouping) write_grouping(db, id, *run.grouping);
}

}  // namespace petlab::results
