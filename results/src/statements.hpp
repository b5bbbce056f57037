#pragma once

#include "sql/database.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// Short forms for prepared statements: arguments are bound in order, 1, 2, ...
namespace petlab::results {

inline void bind_one(sql::Statement& statement, int index, std::int64_t value) {
  statement.bind(index, value);
}
/// Seeds are unsigned everywhere but in databases; the checks keep them below 2^63.
inline void bind_one(sql::Statement& statement, int index, std::uint64_t value) {
  statement.bind(index, static_cast<std::int64_t>(value));
}
inline void bind_one(sql::Statement& statement, int index, double value) {
  statement.bind(index, value);  // a NaN becomes NULL
}
inline void bind_one(sql::Statement& statement, int index, const std::string& value) {
  statement.bind(index, value);
}
template <class Value>
void bind_one(sql::Statement& statement, int index, const std::optional<Value>& value) {
  if (value) {
    bind_one(statement, index, *value);
  } else {
    statement.bind_null(index);
  }
}

template <class... Values>
void bind_all(sql::Statement& statement, const Values&... values) {
  int index = 0;
  (bind_one(statement, ++index, values), ...);
}

/// Sends a statement that returns no rows (Statement::send()); it can be sent again with other
/// values.
template <class... Values>
void execute(sql::Statement& statement, const Values&... values) {
  bind_all(statement, values...);
  statement.send();
}

template <class... Values>
void execute(const sql::Database& db, const std::string& sql, const Values&... values) {
  sql::Statement statement(db, sql);
  execute(statement, values...);
}

/// A query with its values bound, to be stepped through.
template <class... Values>
sql::Statement query(const sql::Database& db, const std::string& sql, const Values&... values) {
  sql::Statement statement(db, sql);
  bind_all(statement, values...);
  return statement;
}

/// First column of the first row, or nothing.
template <class... Values>
std::optional<std::int64_t> find_id(const sql::Database& db, const char* sql,
                                    const Values&... values) {
  sql::Statement statement = query(db, sql, values...);
  if (!statement.step()) return std::nullopt;
  return statement.column(0).integer();
}

/// The key that a statement with RETURNING gives to the row that it inserts.
inline std::int64_t inserted_id(sql::Statement& statement) {
  statement.step();
  const std::int64_t id = statement.column(0).integer();
  statement.reset();
  return id;
}

}  // namespace petlab::results
