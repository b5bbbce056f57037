#include "petlab/base/text.hpp"
#include "petlab/results/named_values.hpp"
#include "petlab/results/study_name.hpp"
#include "queries.hpp"
#include "record_columns.hpp"
#include "statements.hpp"
#include "store.hpp"

#include <unordered_set>

namespace petlab::results {
namespace {

void write_searches(const sql::Database& db, std::int64_t study,
                    const std::vector<SearchRecord>& searches) {
  execute(db, "DELETE FROM study_searches WHERE study_id = ?", study);
  sql::Statement statement(db, insert_statement("study_searches", "study_id", kSearchColumns));
  sql::Statement insert_value(db,
                              "INSERT INTO study_search_values (study_id, row_index, position, "
                              "name, value, edge) VALUES (?, ?, ?, ?, ?, ?)");
  sql::Statement insert_images(db,
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

std::vector<SearchRecord> read_searches(const sql::Database& db, std::int64_t study) {
  std::vector<SearchRecord> searches;
  sql::Statement row = query(db,
                             "SELECT " + column_names(kSearchColumns) +
                                 " FROM study_searches WHERE study_id = ? ORDER BY row_index",
                             study);
  while (row.step()) {
    SearchRecord search;
    read_columns(row, 0, kSearchColumns, search);
    sql::Statement value = query(db,
                                 "SELECT name, value, edge FROM study_search_values "
                                 "WHERE study_id = ? AND row_index = ? ORDER BY position",
                                 study, search.row_index);
    while (value.step()) {
      const std::string name = value.column(0).text();
      search.chosen.emplace_back(name, value.column(1).text());
      if (const std::string edge = value.column(2).text(); !edge.empty())
        search.edges.emplace_back(name, edge);
    }
    sql::Statement images = query(db,
                                  "SELECT task, images FROM study_search_images "
                                  "WHERE study_id = ? AND row_index = ? ORDER BY position",
                                  study, search.row_index);
    while (images.step())
      search.images.emplace_back(images.column(0).text(), images.column(1).integer());
    searches.push_back(std::move(search));
  }
  return searches;
}

}  // namespace

void write_study(const sql::Database& db, const StudyRecord& study) {
  execute(db,
          "INSERT INTO studies (name, protocol) VALUES (?, ?) "
          "ON CONFLICT (name) DO UPDATE SET protocol = excluded.protocol",
          study.name, study.protocol);
  const std::int64_t id =
      find_id(db, "SELECT study_id FROM studies WHERE name = ?", study.name).value();
  execute(db, "DELETE FROM study_runs WHERE study_id = ?", id);
  sql::Statement statement(db, insert_statement("study_runs", "study_id", kPlanColumns));
  for (const PlannedRun& run : study.plan)
    insert(statement, kPlanColumns, run, id);
  write_searches(db, id, study.searches);
}

std::optional<std::string> keep_replaced_plan(const sql::Database& db, const StudyRecord& study) {
  const auto id = find_id(db, "SELECT study_id FROM studies WHERE name = ?", study.name);
  if (!id) return std::nullopt;
  std::unordered_set<std::string> planned;
  for (const PlannedRun& run : study.plan)
    planned.insert(run.hash);
  sql::Statement only_here =
      query(db,
            "SELECT p.identity FROM study_runs p JOIN runs r USING (identity) "
            "WHERE p.study_id = ? AND r.status = 'done' AND NOT EXISTS (SELECT 1 FROM study_runs o "
            "WHERE o.identity = p.identity AND o.study_id <> p.study_id)",
            *id);
  bool is_lost = false;
  while (!is_lost && only_here.step())
    is_lost = planned.count(only_here.column(0).text()) == 0;
  if (!is_lost) return std::nullopt;
  std::int64_t number = 1;
  while (
      find_id(db, "SELECT study_id FROM studies WHERE name = ?", earlier_name(study.name, number)))
    ++number;
  const std::string name = earlier_name(study.name, number);
  execute(db, "UPDATE studies SET name = ? WHERE study_id = ?", name, *id);
  return name;
}

std::vector<std::string> read_study_names(const sql::Database& db) {
  std::vector<std::string> names;
  sql::Statement row(db, "SELECT name FROM studies ORDER BY name");
  while (row.step())
    names.push_back(row.column(0).text());
  return names;
}

std::optional<StudyRecord> read_study(const sql::Database& db, const std::string& name) {
  sql::Statement head = query(db, "SELECT study_id, protocol FROM studies WHERE name = ?", name);
  if (!head.step()) return std::nullopt;
  StudyRecord study;
  const std::int64_t id = head.column(0).integer();
  study.name = name;
  study.protocol = head.column(1).text();
  sql::Statement row = query(db,
                             "SELECT " + column_names(kPlanColumns) +
                                 " FROM study_runs WHERE study_id = ? ORDER BY row_index, seed",
                             id);
  while (row.step())
    read_columns(row, 0, kPlanColumns, study.plan.emplace_back());
  study.searches = read_searches(db, id);
  return study;
}

std::vector<StudyRun> read_study_runs(const sql::Database& db, const std::filesystem::path& path,
                                      const std::string& study) {
  std::vector<StudyRun> runs;
  sql::Statement row = query(db,
                             "SELECT r.attempts, r.status, r.error_kind, r.error, r.method, "
                             "r.sharing, r.grouping, r.seed, " +
                                 column_names(kPlanColumns, "p") +
                                 " FROM study_runs p JOIN studies s USING (study_id) "
                                 "LEFT JOIN runs r USING (identity) "
                                 "WHERE s.name = ? ORDER BY p.row_index, p.seed",
                             study);
  while (row.step()) {
    StudyRun& run = runs.emplace_back();
    read_columns(row, 8, kPlanColumns, run.plan);
    if (row.column(0).is_null()) continue;
    const PlannedRun& plan = run.plan;
    if (row.column(4).text() != plan.method || row.column(5).text() != plan.sharing ||
        row.column(6).text() != plan.grouping ||
        row.column(7).integer() != static_cast<std::int64_t>(plan.seed))
      throw store_error(path, "study '" + study + "' plans row '" + plan.row_label +
                                  "' with seed " + std::to_string(plan.seed) + " as run " +
                                  quoted_hash(plan.hash) + ", which is one of '" +
                                  row.column(4).text() + "' (" + row.column(5).text() + ", seed " +
                                  std::to_string(row.column(7).integer()) + ")");
    run.attempts = row.column(0).integer();
    read_one(row.column(1), run.status);
    run.error_kind = row.column(2).text();
    run.error = base::message_line(row.column(3).text());
  }
  return runs;
}

}  // namespace petlab::results
