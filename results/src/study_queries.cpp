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

void write_searches(SQLite::Database& db, std::int64_t study,
                    const std::vector<SearchRecord>& searches) {
  execute(db, "DELETE FROM study_searches WHERE study_id = ?", study);
  SQLite::Statement insert(db,
                           "INSERT INTO study_searches (study_id, row_index, strategy, trials, "
                           "trial_runs, trial_study, validation_accuracy) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?)");
  SQLite::Statement insert_value(db,
                                 "INSERT INTO study_search_values (study_id, row_index, position, "
                                 "name, value) VALUES (?, ?, ?, ?, ?)");
  for (const SearchRecord& one : searches) {
    execute(insert, study, one.row_index, one.strategy, one.trials, one.trial_runs, one.study,
            one.validation_accuracy);
    std::int64_t position = 0;
    for (const auto& [name, value] : one.chosen)
      execute(insert_value, study, one.row_index, position++, name, value);
  }
}

std::vector<SearchRecord> read_searches(const SQLite::Database& db, std::int64_t study) {
  std::vector<SearchRecord> searches;
  SQLite::Statement row = query(db,
                                "SELECT row_index, strategy, trials, trial_runs, trial_study, "
                                "validation_accuracy FROM study_searches WHERE study_id = ? "
                                "ORDER BY row_index",
                                study);
  while (row.executeStep()) {
    SearchRecord search;
    search.row_index = row.getColumn(0).getInt64();
    search.strategy = row.getColumn(1).getString();
    search.trials = row.getColumn(2).getInt64();
    search.trial_runs = row.getColumn(3).getInt64();
    search.study = row.getColumn(4).getString();
    search.validation_accuracy = row.getColumn(5).getDouble();
    SQLite::Statement value = query(db,
                                    "SELECT name, value FROM study_search_values "
                                    "WHERE study_id = ? AND row_index = ? ORDER BY position",
                                    study, search.row_index);
    while (value.executeStep())
      search.chosen.emplace_back(value.getColumn(0).getString(), value.getColumn(1).getString());
    searches.push_back(std::move(search));
  }
  return searches;
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
  write_searches(db, id, study.searches);
}

std::vector<std::string> read_study_names(const SQLite::Database& db) {
  std::vector<std::string> names;
  SQLite::Statement row(db, "SELECT name FROM studies ORDER BY name");
  while (row.executeStep())
    names.push_back(row.getColumn(0).getString());
  return names;
}

std::optional<StudyRecord> read_study(const SQLite::Database& db, const std::string& name) {
  SQLite::Statement head = query(db, "SELECT study_id, protocol FROM studies WHERE name = ?", name);
  if (!head.executeStep()) return std::nullopt;
  StudyRecord study;
  const std::int64_t id = head.getColumn(0).getInt64();
  study.name = name;
  study.protocol = head.getColumn(1).getString();
  SQLite::Statement row =
      query(db,
            "SELECT row_index, seed, row_label, method, sharing, grouping, identity "
            "FROM study_runs WHERE study_id = ? ORDER BY row_index, seed",
            id);
  while (row.executeStep())
    study.plan.push_back(planned_run(row));
  study.searches = read_searches(db, id);
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
