#include "petlab/base/text.hpp"
#include "petlab/results/named_values.hpp"
#include "petlab/results/study_name.hpp"
#include "queries.hpp"
#include "record_columns.hpp"
#include "statements.hpp"

#include <unordered_set>

namespace petlab::results {
namespace {

void write_searches(SQLite::Database& db, std::int64_t study,
                    const std::vector<SearchRecord>& searches) {
  execute(db, "DELETE FROM study_searches WHERE study_id = ?", study);
  SQLite::Statement statement(db, insert_statement("study_searches", "study_id", kSearchColumns));
  SQLite::Statement insert_value(db,
                                 "INSERT INTO study_search_values (study_id, row_index, position, "
                                 "name, value, edge) VALUES (?, ?, ?, ?, ?, ?)");
  SQLite::Statement insert_images(db,
                                  "INSERT INTO study_search_images (study_id, row_index, position, "
                                  "task, images) VALUES (?, ?, ?, ?, ?)");
  for (const SearchRecord& one : searches) {
    insert(statement, kSearchColumns, one, study);
    std::int64_t position = 0;
    for (const auto& [name, value] : one.chosen)
      execute(insert_value, study, one.row_index, position++, name, value,
              value_of(one.edges, name));
    position = 0;
    for (const auto& [task, images] : one.images)
      execute(insert_images, study, one.row_index, position++, task, images);
  }
}

std::vector<SearchRecord> read_searches(const SQLite::Database& db, std::int64_t study) {
  std::vector<SearchRecord> searches;
  SQLite::Statement row = query(db,
                                "SELECT " + column_names(kSearchColumns) +
                                    " FROM study_searches WHERE study_id = ? ORDER BY row_index",
                                study);
  while (row.executeStep()) {
    SearchRecord search;
    read_columns(row, 0, kSearchColumns, search);
    SQLite::Statement value = query(db,
                                    "SELECT name, value, edge FROM study_search_values "
                                    "WHERE study_id = ? AND row_index = ? ORDER BY position",
                                    study, search.row_index);
    while (value.executeStep()) {
      const std::string name = value.getColumn(0).getString();
      search.chosen.emplace_back(name, value.getColumn(1).getString());
      if (const std::string edge = value.getColumn(2).getString(); !edge.empty())
        search.edges.emplace_back(name, edge);
    }
    SQLite::Statement images = query(db,
                                     "SELECT task, images FROM study_search_images "
                                     "WHERE study_id = ? AND row_index = ? ORDER BY position",
                                     study, search.row_index);
    while (images.executeStep())
      search.images.emplace_back(images.getColumn(0).getString(), images.getColumn(1).getInt64());
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
  SQLite::Statement statement(db, insert_statement("study_runs", "study_id", kPlanColumns));
  for (const PlannedRun& run : study.plan)
    insert(statement, kPlanColumns, run, id);
  write_searches(db, id, study.searches);
}

std::optional<std::string> keep_replaced_plan(SQLite::Database& db, const StudyRecord& study) {
  const auto id = find_id(db, "SELECT study_id FROM studies WHERE name = ?", study.name);
  if (!id) return std::nullopt;
  std::unordered_set<std::string> planned;
  for (const PlannedRun& run : study.plan)
    planned.insert(run.hash);
  SQLite::Statement only_here =
      query(db,
            "SELECT p.identity FROM study_runs p JOIN runs r USING (identity) "
            "WHERE p.study_id = ? AND r.status = 'done' AND NOT EXISTS (SELECT 1 FROM study_runs o "
            "WHERE o.identity = p.identity AND o.study_id <> p.study_id)",
            *id);
  bool is_lost = false;
  while (!is_lost && only_here.executeStep())
    is_lost = planned.count(only_here.getColumn(0).getString()) == 0;
  if (!is_lost) return std::nullopt;
  std::int64_t number = 1;
  while (
      find_id(db, "SELECT study_id FROM studies WHERE name = ?", earlier_name(study.name, number)))
    ++number;
  const std::string name = earlier_name(study.name, number);
  execute(db, "UPDATE studies SET name = ? WHERE study_id = ?", name, *id);
  return name;
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
  SQLite::Statement row = query(db,
                                "SELECT " + column_names(kPlanColumns) +
                                    " FROM study_runs WHERE study_id = ? ORDER BY row_index, seed",
                                id);
  while (row.executeStep())
    read_columns(row, 0, kPlanColumns, study.plan.emplace_back());
  study.searches = read_searches(db, id);
  return study;
}

std::vector<StudyRun> read_study_runs(const SQLite::Database& db, const std::string& study) {
  std::vector<StudyRun> runs;
  SQLite::Statement row = query(db,
                                "SELECT r.attempts, r.status, r.error_kind, r.error, " +
                                    column_names(kPlanColumns, "p") +
                                    " FROM study_runs p JOIN studies s USING (study_id) "
                                    "LEFT JOIN runs r USING (identity) "
                                    "WHERE s.name = ? ORDER BY p.row_index, p.seed",
                                study);
  while (row.executeStep()) {
    StudyRun& run = runs.emplace_back();
    read_columns(row, 4, kPlanColumns, run.plan);
    if (row.getColumn(0).isNull()) continue;
    run.attempts = row.getColumn(0).getInt64();
    read_one(row.getColumn(1), run.status);
    run.error_kind = row.getColumn(2).getString();
    run.error = base::message_line(row.getColumn(3).getString());
  }
  return runs;
}

}  // namespace petlab::results
