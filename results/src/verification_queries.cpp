#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "queries.hpp"
#include "record_columns.hpp"
#include "statements.hpp"

namespace petlab::results {

void write_verification(const sql::Database& db, const VerificationRecord& verification) {
  const auto run = find_id(db, "SELECT run_id FROM runs WHERE identity = ? AND status = 'done'",
                           verification.identity);
  if (!run)
    throw base::Error(base::ErrorKind::store,
                      "it holds no finished run '" + base::short_hash(verification.identity) + "'");
  sql::Statement statement(db, insert_statement("verifications", "run_id", kVerificationColumns) +
                                   " RETURNING verification_id");
  bind_record(statement, kVerificationColumns, verification, *run);
  const std::int64_t id = inserted_id(statement);
  std::int64_t position = 0;
  for (const auto& [name, value] : verification.environment)
    execute(db, "INSERT INTO verification_values VALUES (?, ?, ?, ?)", id, position++, name, value);
}

std::vector<VerificationRecord> read_verifications(const sql::Database& db,
                                                   const std::string& identity) {
  std::vector<VerificationRecord> result;
  sql::Statement rows =
      query(db,
            "SELECT v.verification_id, " + column_names(kVerificationColumns, "v") +
                " FROM verifications v JOIN runs r USING (run_id) "
                "WHERE r.identity = ? ORDER BY v.verification_id",
            identity);
  while (rows.step()) {
    VerificationRecord& one = result.emplace_back();
    one.identity = identity;
    read_columns(rows, 1, kVerificationColumns, one);
    sql::Statement values = query(
        db,
        "SELECT name, value FROM verification_values WHERE verification_id = ? ORDER BY position",
        rows.column(0).integer());
    while (values.step())
      one.environment.emplace_back(values.column(0).text(), values.column(1).text());
  }
  return result;
}

std::vector<std::string> read_evaluations(const sql::Database& db) {
  std::vector<std::string> result;
  sql::Statement rows(db,
                      "SELECT identity FROM runs WHERE parent IS NOT NULL AND status = 'done' "
                      "ORDER BY finished, run_id");
  while (rows.step())
    result.push_back(rows.column(0).text());
  return result;
}

std::vector<std::string> read_identities(const sql::Database& db, const std::string& prefix) {
  std::vector<std::string> result;
  sql::Statement rows =
      query(db, "SELECT identity FROM runs WHERE substr(identity, 1, ?) = ? ORDER BY identity",
            static_cast<std::int64_t>(prefix.size()), prefix);
  while (rows.step())
    result.push_back(rows.column(0).text());
  return result;
}

}  // namespace petlab::results
