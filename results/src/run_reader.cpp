#include "petlab/sdk/error.hpp"
#include "predictions.hpp"
#include "queries.hpp"
#include "statements.hpp"

#include <cmath>
#include <limits>

namespace petlab::results {
namespace {

double number_or_nan(const SQLite::Column& column) {
  return column.isNull() ? std::numeric_limits<double>::quiet_NaN() : column.getDouble();
}

std::optional<double> number_or_nothing(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getDouble();
}

// Fills what write_head() wrote; nothing where there is no such run.
std::optional<std::int64_t> read_head(const SQLite::Database& db, const std::string& hash,
                                      RunRecord& run) {
  SQLite::Statement row = query(
      db,
      "SELECT r.run_id, r.status, r.error_kind, r.error, r.method, r.plugin, r.plugin_version, "
      "r.sharing, r.grouping, r.seed, r.backbone, r.backbone_parameters, r.precision, "
      "COALESCE(s.hash, ''), r.started, r.finished, r.frozen_hash_before, r.frozen_hash_after, "
      "r.trained_hash, r.test_evaluations, r.determinism, r.resumed, r.step_flops, r.image_flops "
      "FROM runs r LEFT JOIN splits s USING (split_id) WHERE r.identity = ?",
      hash);
  if (!row.executeStep()) return std::nullopt;
  int column = 0;
  const auto text = [&] { return row.getColumn(column++).getString(); };
  const auto integer = [&] { return row.getColumn(column++).getInt64(); };
  const std::int64_t id = integer();
  run.identity.hash = hash;
  run.status = text() == "done" ? RunStatus::done : RunStatus::failed;
  run.error_kind = text();
  run.error = text();
  run.method = text();
  run.plugin = text();
  run.plugin_version = text();
  run.sharing = text();
  run.grouping_strategy = text();
  run.seed = static_cast<std::uint64_t>(integer());
  run.backbone = text();
  run.total_backbone_parameters = integer();
  run.precision = text();
  run.split_hash = text();
  run.started = text();
  run.finished = text();
  run.frozen_hash_before = text();
  run.frozen_hash_after = text();
  run.trained_hash = text();
  run.test_evaluations = integer();
  run.determinism = text();
  run.resumed = integer();
  run.step_flops = number_or_nothing(row.getColumn(column++));
  run.image_flops = number_or_nothing(row.getColumn(column++));
  return id;
}

NamedValues read_values(const SQLite::Database& db, std::int64_t run, const std::string& kind) {
  NamedValues values;
  SQLite::Statement row = query(
      db, "SELECT name, value FROM run_values WHERE run_id = ? AND kind = ? ORDER BY position", run,
      kind);
  while (row.executeStep()) {
    values.emplace_back(row.getColumn(0).getString(), row.getColumn(1).getString());
  }
  return values;
}

void read_parameters(const SQLite::Database& db, std::int64_t id, RunRecord& run) {
  SQLite::Statement row = query(db,
                                "SELECT scope, owner, trainable, stored_bytes FROM "
                                "parameter_counts WHERE run_id = ? ORDER BY position",
                                id);
  while (row.executeStep()) {
    run.parameters.push_back({row.getColumn(0).getString(), row.getColumn(1).getString(),
                              row.getColumn(2).getInt64(), row.getColumn(3).getInt64()});
  }
}

void read_costs(const SQLite::Database& db, std::int64_t id, RunRecord& run) {
  SQLite::Statement row = query(db,
                                "SELECT phase, seconds, images, peak_host_bytes, "
                                "peak_device_bytes, flops FROM phase_costs WHERE run_id = ? "
                                "ORDER BY position",
                                id);
  while (row.executeStep()) {
    PhaseCost cost;
    cost.phase = row.getColumn(0).getString();
    cost.seconds = row.getColumn(1).getDouble();
    cost.images = row.getColumn(2).getInt64();
    cost.peak_host_bytes = row.getColumn(3).getInt64();
    if (!row.getColumn(4).isNull()) cost.peak_device_bytes = row.getColumn(4).getInt64();
    cost.flops = number_or_nothing(row.getColumn(5));
    run.costs.push_back(std::move(cost));
  }
}

void read_epochs(const SQLite::Database& db, std::int64_t id, RunRecord& run) {
  SQLite::Statement row = query(db,
                                "SELECT epoch, loss, learning_rate, seconds, phase, steps, images "
                                "FROM epochs WHERE run_id = ? ORDER BY position",
                                id);
  while (row.executeStep()) {
    run.epochs.push_back({row.getColumn(0).getInt64(), number_or_nan(row.getColumn(1)),
                          row.getColumn(2).getDouble(), row.getColumn(3).getDouble(),
                          row.getColumn(4).getString(), row.getColumn(5).getInt64(),
                          row.getColumn(6).getInt64()});
  }
}

std::vector<ImagePrediction> read_predictions(const SQLite::Database& db, std::int64_t run,
                                              std::int64_t task) {
  SQLite::Statement row =
      query(db, "SELECT format, data FROM predictions WHERE run_id = ? AND task_id = ?", run, task);
  if (!row.executeStep()) return {};
  if (row.getColumn(0).getInt() != kPredictionFormat) {
    throw sdk::Error(sdk::ErrorKind::store, "predictions are packed in format " +
                                                std::to_string(row.getColumn(0).getInt()) +
                                                ", this petlab reads format 1");
  }
  return unpack_predictions(row.getColumn(1).getString());
}

void read_tasks(const SQLite::Database& db, std::int64_t id, LoadDetail detail, RunRecord& run) {
  SQLite::Statement row = query(db,
                                "SELECT t.task_id, t.name, x.n_train, x.n_test, x.n_correct, "
                                "x.loss FROM task_results x JOIN runs r USING (run_id) "
                                "JOIN tasks t ON t.task_id = x.task_id "
                                "JOIN split_tasks o ON o.split_id = r.split_id "
                                "AND o.task_id = x.task_id WHERE x.run_id = ? ORDER BY o.position",
                                id);
  while (row.executeStep()) {
    TaskResult result;
    result.task = row.getColumn(1).getString();
    result.n_train = row.getColumn(2).getInt64();
    result.n_test = row.getColumn(3).getInt64();
    result.n_correct = row.getColumn(4).getInt64();
    result.loss = row.getColumn(5).getDouble();
    if (detail == LoadDetail::everything) {
      result.predictions = read_predictions(db, id, row.getColumn(0).getInt64());
    }
    run.tasks.push_back(std::move(result));
  }
}

Partition read_partition(const SQLite::Database& db, std::int64_t run, std::int64_t place) {
  Partition partition;
  SQLite::Statement row = query(db,
                                "SELECT group_index, task FROM grouping_members WHERE run_id = ? "
                                "AND place = ? ORDER BY group_index, position",
                                run, place);
  while (row.executeStep()) {
    const auto group = static_cast<std::size_t>(row.getColumn(0).getInt64());
    if (partition.size() <= group) partition.resize(group + 1);
    partition[group].push_back(row.getColumn(1).getString());
  }
  return partition;
}

std::optional<GroupingRecord> read_grouping(const SQLite::Database& db, std::int64_t run) {
  SQLite::Statement head =
      query(db, "SELECT strategy, seconds FROM groupings WHERE run_id = ?", run);
  if (!head.executeStep()) return std::nullopt;
  GroupingRecord grouping;
  grouping.strategy = head.getColumn(0).getString();
  grouping.seconds = head.getColumn(1).getDouble();
  SQLite::Statement tasks =
      query(db, "SELECT task FROM grouping_tasks WHERE run_id = ? ORDER BY position", run);
  while (tasks.executeStep())
    grouping.tasks.push_back(tasks.getColumn(0).getString());
  SQLite::Statement affinity = query(db,
                                     "SELECT value FROM grouping_affinity WHERE run_id = ? "
                                     "ORDER BY row_position, col_position",
                                     run);
  while (affinity.executeStep())
    grouping.affinity.push_back(number_or_nan(affinity.getColumn(0)));
  SQLite::Statement places = query(
      db, "SELECT place, score FROM grouping_partitions WHERE run_id = ? ORDER BY place", run);
  while (places.executeStep()) {
    const std::int64_t place = places.getColumn(0).getInt64();
    const double score = places.getColumn(1).getDouble();
    Partition partition = read_partition(db, run, place);
    if (place == 0) {
      grouping.partition = std::move(partition);
      grouping.score = score;
    } else {
      grouping.runners_up.push_back({std::move(partition), score});
    }
  }
  return grouping;
}

}  // namespace

bool is_done(const SQLite::Database& db, const std::string& hash) {
  return find_id(db, "SELECT 1 FROM runs WHERE identity = ? AND status = 'done'", hash).has_value();
}

std::optional<RunRecord> read_run(const SQLite::Database& db, const std::string& hash,
                                  LoadDetail detail) {
  RunRecord run;
  const std::optional<std::int64_t> id = read_head(db, hash, run);
  if (!id) return std::nullopt;
  run.identity.parts = read_values(db, *id, "identity");
  run.options = read_values(db, *id, "option");
  run.protocol = read_values(db, *id, "protocol");
  run.environment = read_values(db, *id, "environment");
  read_parameters(db, *id, run);
  read_costs(db, *id, run);
  read_epochs(db, *id, run);
  read_tasks(db, *id, detail, run);
  run.grouping = read_grouping(db, *id);
  return run;
}

}  // namespace petlab::results
