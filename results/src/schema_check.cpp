#include "schema_check.hpp"

#include "schema_check_server.hpp"
#include "statements.hpp"
#include "store.hpp"
#include "store_file.hpp"

namespace petlab::results {
namespace {

std::map<std::string, std::string> objects_in(const sql::Database& db, const std::string& type) {
  std::map<std::string, std::string> found;
  sql::Statement row =
      query(db, "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL", type);
  while (row.step())
    found.emplace(row.column(0).text(), row.column(1).text());
  return found;
}

}  // namespace

void check_engine(const sql::Database& db, const TellProblem& tell) {
  if (db.engine() != sql::Engine::sqlite) return;
  sql::Statement said(db, "PRAGMA integrity_check");
  while (said.step())
    if (said.column(0).text() != "ok") tell("SQLite finds it damaged: " + said.column(0).text());
  sql::Statement row(db, "PRAGMA foreign_key_check");
  while (row.step())
    tell("a row of its table '" + row.column(0).text() + "' names one of '" + row.column(2).text() +
         "' that is not there");
}

void check_schema(const sql::Database& db, const TellProblem& tell) {
  if (db.engine() == sql::Engine::postgresql) return check_server_schema(db, tell);
  for (const std::string type : {"table", "view", "trigger", "index"}) {
    const auto found = objects_in(db, type), own = own_schema(type);
    for (const auto& [name, sql] : own) {
      const auto there = found.find(name);
      if (there == found.end() || there->second != sql)
        tell("its " + type + " '" + name + "' is " +
             (there == found.end() ? "not there" : "not the one that petlab made"));
    }
    if (type != "trigger") continue;
    for (const auto& [name, sql] : found)
      if (own.count(name) == 0) tell("it has a trigger '" + name + "' that petlab did not make");
  }
}

std::map<std::string, std::string> own_views(const sql::Database& db,
                                             const std::filesystem::path& store) {
  if (db.engine() == sql::Engine::postgresql) return own_server_views();
  const auto found = objects_in(db, "view");
  std::map<std::string, std::string> views;
  // A view that somebody changed would say what it likes of the runs.
  for (const auto& [name, sql] : own_schema("view")) {
    const auto there = found.find(name);
    if (there == found.end())
      throw store_error(store,
                        "its view '" + name + "' is not there; petlab check STORE says more");
    if (there->second != sql)
      throw store_error(store, "its view '" + name +
                                   "' is not the one that petlab made; petlab check STORE says "
                                   "more");
    views.emplace(name, "\"" + name + "\"");
  }
  return views;
}

}  // namespace petlab::results
