#include "run_reader.hpp"

#include "petlab/base/error.hpp"
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

// A prepared statement with its values bound, to be stepped through; ready for other values when
// this goes away.
class Rows {
 public:
  template <class... Values>
  explicit Rows(SQLite::Statement& statement, const Values&... values) : statement_(statement) {
    bind_all(statement_, values...);
  }
  ~Rows() { statement_.tryReset(); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool next() { return statement_.executeStep(); }
  SQLite::Column operator[](int column) const { return statement_.getColumn(column); }

 private:
  SQLite::Statement& statement_;
};

}  // namespace

RunReader::RunReader(const SQLite::Database& db, LoadDetail detail)
    : detail_(detail),
      head_(db,
            "SELECT r.run_id, r.status, r.error_kind, r.error, r.method, r.plugin, "
            "r.plugin_version, r.sharing, r.grouping, r.seed, r.backbone, r.backbone_parameters, "
            "r.precision, COALESCE(s.hash, ''), r.started, r.finished, r.frozen_hash_before, "
            "r.frozen_hash_after, r.trained_hash, r.test_evaluations, r.determinism, r.resumed, "
            "r.step_flops, r.image_flops "
            "FROM runs r LEFT JOIN splits s USING (split_id) WHERE r.identity = ?"),
      values_(db,
              "SELECT name, value FROM run_values WHERE run_id = ? AND kind = ? "
              "ORDER BY position"),
      parameters_(db,
                  "SELECT scope, owner, trainable, stored_bytes FROM parameter_counts "
                  "WHERE run_id = ? ORDER BY position"),
      costs_(db,
             "SELECT phase, seconds, images, peak_host_bytes, peak_device_bytes, flops "
             "FROM phase_costs WHERE run_id = ? ORDER BY position"),
      epochs_(db,
              "SELECT epoch, loss, learning_rate, seconds, phase, steps, images FROM epochs "
              "WHERE run_id = ? ORDER BY position"),
      tasks_(db,
             "SELECT t.task_id, t.name, x.n_train, x.n_test, x.n_correct, x.loss "
             "FROM task_results x JOIN runs r USING (run_id) JOIN tasks t ON t.task_id = x.task_id "
             "JOIN split_tasks o ON o.split_id = r.split_id AND o.task_id = x.task_id "
             "WHERE x.run_id = ? ORDER BY o.position"),
      predictions_(db, "SELECT format, data FROM predictions WHERE run_id = ? AND task_id = ?"),
      grouping_(db, "SELECT strategy, seconds FROM groupings WHERE run_id = ?"),
      grouping_tasks_(db, "SELECT task FROM grouping_tasks WHERE run_id = ? ORDER BY position"),
      affinity_(db,
                "SELECT value FROM grouping_affinity WHERE run_id = ? "
                "ORDER BY row_position, col_position"),
      partitions_(db,
                  "SELECT place, score FROM grouping_partitions WHERE run_id = ? ORDER BY place"),
      members_(db,
               "SELECT group_index, task FROM grouping_members WHERE run_id = ? AND place = ? "
               "ORDER BY group_index, position") {}

// Fills what write_head() wrote; nothing where there is no such run.
std::optional<std::int64_t> RunReader::read_head(const std::string& hash, RunRecord& run) {
  Rows row(head_, hash);
  if (!row.next()) return std::nullopt;
  int column = 0;
  const auto text = [&] { return row[column++].getString(); };
  const auto integer = [&] { return row[column++].getInt64(); };
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
  run.step_flops = number_or_nothing(row[column++]);
  run.image_flops = number_or_nothing(row[column++]);
  return id;
}

NamedValues RunReader::read_values(std::int64_t run, const char* kind) {
  NamedValues values;
  Rows row(values_, run, std::string(kind));
  while (row.next())
    values.emplace_back(row[0].getString(), row[1].getString());
  return values;
}

void RunReader::read_parameters(std::int64_t id, RunRecord& run) {
  Rows row(parameters_, id);
  while (row.next()) {
    run.parameters.push_back(
        {row[0].getString(), row[1].getString(), row[2].getInt64(), row[3].getInt64()});
  }
}

void RunReader::read_costs(std::int64_t id, RunRecord& run) {
  Rows row(costs_, id);
  while (row.next()) {
    PhaseCost cost;
    cost.phase = row[0].getString();
    cost.seconds = row[1].getDouble();
    cost.images = row[2].getInt64();
    cost.peak_host_bytes = row[3].getInt64();
    if (!row[4].isNull()) cost.peak_device_bytes = row[4].getInt64();
    cost.flops = number_or_nothing(row[5]);
    run.costs.push_back(std::move(cost));
  }
}

void RunReader::read_epochs(std::int64_t id, RunRecord& run) {
  Rows row(epochs_, id);
  while (row.next()) {
    run.epochs.push_back({row[0].getInt64(), number_or_nan(row[1]), row[2].getDouble(),
                          row[3].getDouble(), row[4].getString(), row[5].getInt64(),
                          row[6].getInt64()});
  }
}

std::vector<ImagePrediction> RunReader::read_predictions(std::int64_t run, std::int64_t task) {
  Rows row(predictions_, run, task);
  if (!row.next()) return {};
  if (row[0].getInt() != kPredictionFormat) {
    throw base::Error(base::ErrorKind::store, "predictions are packed in format " +
                                                  std::to_string(row[0].getInt()) +
                                                  ", this petlab reads format 1");
  }
  return unpack_predictions(row[1].getString());
}

void RunReader::read_tasks(std::int64_t id, RunRecord& run) {
  Rows row(tasks_, id);
  while (row.next()) {
    TaskResult result;
    result.task = row[1].getString();
    result.n_train = row[2].getInt64();
    result.n_test = row[3].getInt64();
    result.n_correct = row[4].getInt64();
    result.loss = row[5].getDouble();
    if (detail_ == LoadDetail::everything)
      result.predictions = read_predictions(id, row[0].getInt64());
    run.tasks.push_back(std::move(result));
  }
}

Partition RunReader::read_partition(std::int64_t run, std::int64_t place) {
  Partition partition;
  Rows row(members_, run, place);
  while (row.next()) {
    const auto group = static_cast<std::size_t>(row[0].getInt64());
    if (partition.size() <= group) partition.resize(group + 1);
    partition[group].push_back(row[1].getString());
  }
  return partition;
}

std::optional<GroupingRecord> RunReader::read_grouping(std::int64_t run) {
  GroupingRecord grouping;
  {
    Rows head(grouping_, run);
    if (!head.next()) return std::nullopt;
    grouping.strategy = head[0].getString();
    grouping.seconds = head[1].getDouble();
  }
  Rows tasks(grouping_tasks_, run);
  while (tasks.next())
    grouping.tasks.push_back(tasks[0].getString());
  Rows affinity(affinity_, run);
  while (affinity.next())
    grouping.affinity.push_back(number_or_nan(affinity[0]));
  Rows places(partitions_, run);
  while (places.next()) {
    const std::int64_t place = places[0].getInt64();
    const double score = places[1].getDouble();
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
  read_parameters(*id, run);
  read_costs(*id, run);
  read_epochs(*id, run);
  read_tasks(*id, run);
  run.grouping = read_grouping(*id);
  return run;
}

bool is_done(const SQLite::Database& db, const std::string& hash) {
  return find_id(db, "SELECT 1 FROM runs WHERE identity = ? AND status = 'done'", hash).has_value();
}

}  // namespace petlab::results
