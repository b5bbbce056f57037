#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <optional>
#include <string>

/// Short forms for prepared statements: arguments are bound in order, 1, 2, ...
namespace petlab::results {

inline void bind_one(SQLite::Statement& statement, int index, std::int64_t value) {
  statement.bind(index, value);
}
/// Seeds are unsigned everywhere but in SQLite; the checks keep them below 2^63.
inline void bind_one(SQLite::Statement& statement, int index, std::uint64_t value) {
  statement.bind(index, static_cast<std::int64_t>(value));
}
inline void bind_one(SQLite::Statement& statement, int index, double value) {
  statement.bind(index, value);  // a NaN becomes NULL
}
inline void bind_one(SQLite::Statement& statement, int index, const std::string& value) {
  statement.bind(index, value);
}
template <class Value>
void bind_one(SQLite::Statement& statement, int index, const std::optional<Value>& value) {
  if (value) {
    bind_one(statement, index, *value);
  } else {
    statement.bind(index);
  }
}

template <class... Values>
void bind_all(SQLite::Statement& statement, const Values&... values) {
  int index = 0;
  (bind_one(statement, ++index, values), ...);
}

/// Runs a statement that returns no rows; it can be run again with other values.
template <class... Values>
void execute(SQLite::Statement& statement, const Values&... values) {
  bind_all(statement, values...);
  statement.exec();
  statement.reset();
}

template <class... Values>
void execute(SQLite::Database& db, const std::string& sql, const Values&... values) {
  SQLite::Statement statement(db, sql);
  execute(statement, values...);
}

/// A query with its values bound, to be stepped through.
template <class... Values>
SQLite::Statement query(const SQLite::Database& db, const std::string& sql,
                        const Values&... values) {
  SQLite::Statement statement(db, sql);
  bind_all(statement, values...);
  return statement;
}

/// First column of the first row, or nothing.
template <class... Values>
std::optional<std::int64_t> find_id(const SQLite::Database& db, const char* sql,
                                    const Values&... values) {
  SQLite::Statement statement = query(db, sql, values...);
  if (!statement.executeStep()) return std::nullopt;
  return statement.getColumn(0).getInt64();
}

}  // namespace petlab::results
