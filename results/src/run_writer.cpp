#include "predictions.hpp"
#include "queries.hpp"
#include "statements.hpp"

namespace petlab::results {
namespace {

std::int64_t write_head(SQLite::Database& db, const RunRecord& run, std::int64_t attempts) {
  const std::string status = run.status == RunStatus::done ? "done" : "failed";
  const std::optional<std::int64_t> split =
      run.split_hash.empty() ? std::nullopt : find_split(db, run.split_hash);
  execute(db,
          "INSERT INTO runs (identity, status, error_kind, error, attempts, method, plugin, "
          "plugin_version, sharing, grouping, seed, backbone, backbone_parameters, precision, "
          "split_id, started, finished, frozen_hash_before, frozen_hash_after, trained_hash, "
          "test_evaluations, determinism, resumed, step_flops, image_flops) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          run.identity.hash, status, run.error_kind, run.error, attempts, run.method, run.plugin,
          run.plugin_version, run.sharing, run.grouping_strategy, stored_seed(run.seed),
          run.backbone, run.total_backbone_parameters, run.precision, split, run.started,
          run.finished, run.frozen_hash_before, run.frozen_hash_after, run.trained_hash,
          run.test_evaluations, run.determinism, run.resumed, run.step_flops, run.image_flops);
  return db.getLastInsertRowid();
}

void write_values(SQLite::Database& db, std::int64_t run, const std::string& kind,
                  const NamedValues& values) {
  SQLite::Statement insert(
      db, "INSERT INTO run_values (run_id, kind, position, name, value) VALUES (?, ?, ?, ?, ?)");
  std::int64_t position = 0;
  for (const auto& [name, value] : values)
    execute(insert, run, kind, position++, name, value);
}

void write_parameters(SQLite::Database& db, std::int64_t run,
                      const std::vector<ParameterCount>& parameters) {
  SQLite::Statement insert(db,
                           "INSERT INTO parameter_counts (run_id, position, scope, owner, "
                           "trainable, stored_bytes) VALUES (?, ?, ?, ?, ?, ?)");
  std::int64_t position = 0;
  for (const ParameterCount& one : parameters) {
    execute(insert, run, position++, one.scope, one.owner, one.trainable, one.stored_bytes);
  }
}

void write_costs(SQLite::Database& db, std::int64_t run, const std::vector<PhaseCost>& costs) {
  SQLite::Statement insert(db,
                           "INSERT INTO phase_costs (run_id, position, phase, seconds, images, "
                           "peak_host_bytes, peak_device_bytes, flops) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  std::int64_t position = 0;
  for (const PhaseCost& one : costs) {
    execute(insert, run, position++, one.phase, one.seconds, one.images, one.peak_host_bytes,
            one.peak_device_bytes, one.flops);
  }
}

void write_epochs(SQLite::Database& db, std::int64_t run, const std::vector<EpochRecord>& epochs) {
  SQLite::Statement insert(
      db,
      "INSERT INTO epochs (run_id, position, phase, epoch, loss, "
      "learning_rate, seconds, steps, images) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  std::int64_t position = 0;
  for (const EpochRecord& one : epochs) {
    execute(insert, run, position++, one.phase, one.epoch, one.loss, one.learning_rate, one.seconds,
            one.steps, one.images);
  }
}

void write_tasks(SQLite::Database& db, std::int64_t run, const std::string& split_hash,
                 const std::vector<TaskResult>& tasks) {
  SQLite::Statement insert_result(
      db,
      "INSERT INTO task_results (run_id, task_id, n_train, n_test, n_correct, loss) "
      "VALUES (?, ?, ?, ?, ?, ?)");
  SQLite::Statement insert_predictions(
      db, "INSERT INTO predictions (run_id, task_id, format, data) VALUES (?, ?, ?, ?)");
  for (const TaskResult& one : tasks) {
    const std::int64_t task =
        find_id(db,
                "SELECT t.task_id FROM splits s JOIN split_tasks o USING (split_id) "
                "JOIN tasks t ON t.task_id = o.task_id WHERE s.hash = ? AND t.name = ?",
                split_hash, one.task)
            .value();
    execute(insert_result, run, task, one.n_train, one.n_test, one.n_correct, one.loss);
    const std::string packed = pack_predictions(one.predictions);
    bind_all(insert_predictions, run, task, std::int64_t{kPredictionFormat});
    insert_predictions.bind(4, packed.data(), static_cast<int>(packed.size()));
    insert_predictions.exec();
    insert_predictions.reset();
  }
}

void write_partition(SQLite::Database& db, std::int64_t run, std::int64_t place,
                     const Partition& partition, double score) {
  execute(db, "INSERT INTO grouping_partitions (run_id, place, score) VALUES (?, ?, ?)", run, place,
          score);
  SQLite::Statement insert(db,
                           "INSERT INTO grouping_members (run_id, place, group_index, position, "
                           "task) VALUES (?, ?, ?, ?, ?)");
  for (std::size_t group = 0; group < partition.size(); ++group) {
    for (std::size_t i = 0; i < partition[group].size(); ++i) {
      execute(insert, run, place, static_cast<std::int64_t>(group), static_cast<std::int64_t>(i),
              partition[group][i]);
    }
  }
}

void write_grouping(SQLite::Database& db, std::int64_t run, const GroupingRecord& grouping) {
  execute(db, "INSERT INTO groupings (run_id, strategy, seconds) VALUES (?, ?, ?)", run,
          grouping.strategy, grouping.seconds);
  const std::size_t n = grouping.tasks.size();
  for (std::size_t i = 0; i < n; ++i) {
    execute(db, "INSERT INTO grouping_tasks (run_id, position, task) VALUES (?, ?, ?)", run,
            static_cast<std::int64_t>(i), grouping.tasks[i]);
  }
  SQLite::Statement insert(db,
                           "INSERT INTO grouping_affinity (run_id, row_position, col_position, "
                           "value) VALUES (?, ?, ?, ?)");
  for (std::size_t i = 0; i < grouping.affinity.size(); ++i) {
    execute(insert, run, static_cast<std::int64_t>(i / n), static_cast<std::int64_t>(i % n),
            grouping.affinity[i]);
  }
  std::int64_t place = 0;
  write_partition(db, run, place++, grouping.partition, grouping.score);
  for (const ScoredPartition& other : grouping.runners_up) {
    write_partition(db, run, place++, other.partition, other.score);
  }
}

}  // namespace

void write_run(SQLite::Database& db, const RunRecord& run, std::int64_t attempts) {
  const std::int64_t id = write_head(db, run, attempts);
  write_values(db, id, "identity", run.identity.parts);
  write_values(db, id, "option", run.options);
  write_values(db, id, "protocol", run.protocol);
  write_values(db, id, "environment", run.environment);
  write_parameters(db, id, run.parameters);
  write_costs(db, id, run.costs);
  write_epochs(db, id, run.epochs);
  write_tasks(db, id, run.split_hash, run.tasks);
  if (run.grouping) write_grouping(db, id, *run.grouping);
}

}  // namespace petlab::results
