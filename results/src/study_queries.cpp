#include "queries.hpp"
#include "statements.hpp"

namespace petlab::results {
namespace {

// Columns 0 to 6 of both queries below.
PlannedRun planned_run(SQLite::Statement& row) {
  PlannedRun run;
  run.row_index = row.getColumn(0).getInt64();
  run.seed = static_cast<std::uint64_t>(row.getColumn(1).getInt64());
  run.row_label = row.getColumn(2).getString();
  run.method = row.getColumn(3).getString();
  run.sharing = row.getColumn(4).getString();
  run.grouping = row.getColumn(5).getString();
  run.hash = row.getColumn(6).getString();
  return run;
}

}  // namespace

void write_study(SQLite::Database& db, const StudyRecord& study) {
  execute(db,
          "INSERT INTO studies (name, protocol) VALUES (?, ?) "
          "ON CONFLICT (name) DO UPDATE SET protocol = excluded.protocol",
          study.name, study.protocol);
  const std::int64_t id =
      find_id(db, "SELECT study_id FROM studies WHERE name = ?", study.name).value();
  execute(db, "DELETE FROM study_runs WHERE study_id = ?", id);
  SQLite::Statement insert(db,
                           "INSERT INTO study_runs (study_id, row_index, seed, row_label, method, "
                           "sharing, grouping, identity) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const PlannedRun& run : study.plan) {
    execute(insert, id, run.row_index, stored_seed(run.seed), run.row_label, run.method,
            run.sharing, run.grouping, run.hash);
  }
}

std::vector<std::string> read_study_names(const SQLite::Database& db) {
  std::vector<std::string> names;
  SQLite::Statement row(db, "SELECT name FROM studies ORDER BY name");
  while (row.executeStep())
    names.push_back(row.getColumn(0).getString());
  return names;
}

std::optional<StudyRecord> read_study(const SQLite::Database& db, const std::string& name) {
  SQLite::Statement head = query(db, "SELECT protocol FROM studies WHERE name = ?", name);
  if (!head.executeStep()) return std::nullopt;
  StudyRecord study;
  study.name = name;
  study.protocol = head.getColumn(0).getString();
  SQLite::Statement row =
      query(db,
            "SELECT p.row_index, p.seed, p.row_label, p.method, p.sharing, p.grouping, p.identity "
            "FROM study_runs p JOIN studies s USING (study_id) WHERE s.name = ? "
            "ORDER BY p.row_index, p.seed",
            name);
  while (row.executeStep())
    study.plan.push_back(planned_run(row));
  return study;
}

std::vector<StudyRun> read_study_runs(const SQLite::Database& db, const std::string& study) {
  std::vector<StudyRun> runs;
  SQLite::Statement row =
      query(db,
            "SELECT p.row_index, p.seed, p.row_label, p.method, p.sharing, p.grouping, p.identity, "
            "r.status, r.error_kind, r.error, r.attempts "
            "FROM study_runs p JOIN studies s USING (study_id) LEFT JOIN runs r USING (identity) "
            "WHERE s.name = ? ORDER BY p.row_index, p.seed",
            study);
  while (row.executeStep()) {
    StudyRun run;
    run.plan = planned_run(row);
    if (!row.getColumn(7).isNull()) {
      run.status = row.getColumn(7).getString() == "done" ? RunStatus::done : RunStatus::failed;
      run.error_kind = row.getColumn(8).getString();
      run.error = row.getColumn(9).getString();
      run.attempts = row.getColumn(10).getInt64();
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace petlab::results
