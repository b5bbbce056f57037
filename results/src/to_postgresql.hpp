#pragma once

#include <span>
#include <string>

/// The scripts of schema/ for a PostgreSQL server.
namespace petlab::results {

/// A file of schema/postgresql.
struct ServerScript {
  int version;
  const char* sql;
};

/// By version; the first one makes the tables from nothing, as they were in its version. A version
/// without a file here has the one of SQLite.
std::span<const ServerScript> server_scripts();

/// A script in SQLite's words in PostgreSQL's: names of types, keys that number themselves, table
/// options, group_concat. Texts compare byte by byte, as SQLite's do. What differs by more than
/// words has a file of its own.
std::string to_postgresql(const std::string& sqlite);

}  // namespace petlab::results
