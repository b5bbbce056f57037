#pragma once

#include "petlab/results/record.hpp"
#include "statements.hpp"

#include <limits>
#include <optional>
#include <string>

/// A column of a table beside the member of the record that it holds, said once: what is inserted,
/// what is selected and in which order they stand all come from the same list.
namespace petlab::results {

inline void bind_one(sql::Statement& statement, int index, RunStatus status) {
  statement.bind(index, std::string(status == RunStatus::done ? "done" : "failed"));
}

inline void read_one(const sql::Column& column, std::string& value) {
  value = column.text();
}
inline void read_one(const sql::Column& column, std::int64_t& value) {
  value = column.integer();
}
inline void read_one(const sql::Column& column, std::uint64_t& value) {
  value = static_cast<std::uint64_t>(column.integer());
}
inline void read_one(const sql::Column& column, double& value) {  // NULL is what NaN became
  value = column.is_null() ? std::numeric_limits<double>::quiet_NaN() : column.real();
}
inline void read_one(const sql::Column& column, RunStatus& value) {
  value = column.text() == "done" ? RunStatus::done : RunStatus::failed;
}
template <class Value>
void read_one(const sql::Column& column, std::optional<Value>& value) {
  if (column.is_null()) {
    value.reset();
  } else {
    read_one(column, value.emplace());
  }
}

template <class Record>
struct StoredColumn {
  const char* name;
  void (*bind)(sql::Statement&, int, const Record&);
  void (*read)(const sql::Column&, Record&);
};

template <class Member>
struct RecordOf;
template <class Record, class Value>
struct RecordOf<Value Record::*> {
  using type = Record;
};

/// The column `name` that holds a member: stored<&EpochRecord::loss>("loss").
template <auto kMember>
constexpr auto stored(const char* name) {
  using Record = typename RecordOf<decltype(kMember)>::type;
  return StoredColumn<Record>{
      name,
      [](sql::Statement& statement, int index, const Record& record) {
        bind_one(statement, index, record.*kMember);
      },
      [](const sql::Column& column, Record& record) { read_one(column, record.*kMember); }};
}

/// "a, b" of the columns a and b; "x.a, x.b" for the table alias "x".
template <class Columns>
std::string column_names(const Columns& columns, const std::string& alias = {}) {
  std::string names;
  for (const auto& column : columns) {
    if (!names.empty()) names += ", ";
    if (!alias.empty()) names.append(alias).append(".");
    names += column.name;
  }
  return names;
}

/// The statement that insert() fills: `keys` are the columns that stand before those of the record.
template <class Columns>
std::string insert_statement(const std::string& table, const std::string& keys,
                             const Columns& columns) {
  std::string names = keys + ", " + column_names(columns);
  std::string places = "?";
  for (const char c : names) {
    if (c == ',') places += ", ?";
  }
  return "INSERT INTO " + table + " (" + names + ") VALUES (" + places + ")";
}

/// Binds the values of a record to the statement of insert_statement().
template <class Columns, class Record, class... Keys>
void bind_record(sql::Statement& statement, const Columns& columns, const Record& record,
                 const Keys&... keys) {
  bind_all(statement, keys...);
  int index = sizeof...(keys);
  for (const auto& column : columns)
    column.bind(statement, ++index, record);
}

/// Inserts a record with that statement.
template <class Columns, class Record, class... Keys>
void insert(sql::Statement& statement, const Columns& columns, const Record& record,
            const Keys&... keys) {
  bind_record(statement, columns, record, keys...);
  statement.send();
}

/// Fills the record from a row whose columns from `first` on are column_names(columns). `row` is
/// anything with the columns of a row behind column().
template <class Row, class Columns, class Record>
void read_columns(Row& row, int first, const Columns& columns, Record& record) {
  for (const auto& column : columns)
    column.read(row.column(first++), record);
}

}  // namespace petlab::results
