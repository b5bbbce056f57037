#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace petlab::results {

/// Bytes of a BLOB.
struct Blob {
  std::string bytes;

  friend bool operator==(const Blob&, const Blob&) = default;
};

/// A value of SQLite: NULL, INTEGER, REAL, TEXT, BLOB.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

struct QueryResult {
  std::vector<std::string> columns;         // as SQLite names them; names may repeat
  std::vector<std::vector<SqlValue>> rows;  // as many values as there are columns
};

/// Runs one SELECT on a store, over its tables and views (results/README.md), all in one state of
/// the file. Nothing but reading is allowed: no other statement, no other file, no setting of
/// SQLite. What the file holds is read as it is; check.hpp says whether it contradicts itself.
///
/// On a server the SELECT is PostgreSQL's, in a transaction that only reads; functions of the
/// server may do what it lets the user do.
///
/// Throws base::Error(store) when the store cannot be read, and Error(config) for SQL that is
/// empty, wrong, more than one statement, or not allowed.
QueryResult query_store(const std::filesystem::path& store, const std::string& sql);

}  // namespace petlab::results
