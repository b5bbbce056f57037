#include "petlab/base/error.hpp"
#include "queries.hpp"
#include "record_columns.hpp"
#include "statements.hpp"

namespace petlab::results {

void write_verification(SQLite::Database& db, const VerificationRecord& verification) {
  const auto run = find_id(db, "SELECT run_id FROM runs WHERE identity = ? AND status = 'done'",
                           verification.identity);
  if (!run)
    throw base::Error(base::ErrorKind::store,
                      "it holds no finished run '" + verification.identity.substr(0, 12) + "'");
  SQLite::Statement statement(db,
                              insert_statement("verifications", "run_id", kVerificationColumns));
  insert(statement, kVerificationColumns, verification, *run);
  const std::int64_t id = db.getLastInsertRowid();
  std::int64_t position = 0;
  for (const auto& [name, value] : verification.environment)
    execute(db, "INSERT INTO verification_values VALUES (?, ?, ?, ?)", id, position++, name, value);
}

std::vector<VerificationRecord> read_verifications(const SQLite::Database& db,
                                                   const std::string& identity) {
  std::vector<VerificationRecord> result;
  SQLite::Statement rows =
      query(db,
            "SELECT v.verification_id, " + column_names(kVerificationColumns, "v") +
                " FROM verifications v JOIN runs r USING (run_id) "
                "WHERE r.identity = ? ORDER BY v.verification_id",
            identity);
  while (rows.executeStep()) {
    VerificationRecord& one = result.emplace_back();
    one.identity = identity;
    read_columns(rows, 1, kVerificationColumns, one);
    SQLite::Statement values = query(
        db,
        "SELECT name, value FROM verification_values WHERE verification_id = ? ORDER BY position",
        rows.getColumn(0).getInt64());
    while (values.executeStep())
      one.environment.emplace_back(values.getColumn(0).getString(),
                                   values.getColumn(1).getString());
  }
  return result;
}

std::vector<std::string> read_evaluations(const SQLite::Database& db) {
  std::vector<std::string> result;
  SQLite::Statement rows(db,
                         "SELECT identity FROM runs WHERE parent IS NOT NULL AND status = 'done' "
                         "ORDER BY finished, run_id");
  while (rows.executeStep())
    result.push_back(rows.getColumn(0).getString());
  return result;
}

std::vector<std::string> read_identities(const SQLite::Database& db, const std::string& prefix) {
  std::vector<std::string> result;
  SQLite::Statement rows =
      query(db, "SELECT identity FROM runs WHERE substr(identity, 1, ?) = ? ORDER BY identity",
            static_cast<std::int64_t>(prefix.size()), prefix);
  while (rows.executeStep())
    result.push_back(rows.getColumn(0).getString());
  return result;
}

}  // namespace petlab::results
