#pragma once

#include "database.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

namespace petlab::results::sql {

/// An SQLite file, opened already.
[[nodiscard]] Database sqlite_database(SQLite::Database file);

/// What SQLite says, in one line: it quotes what stands in the file, several lines of a schema
/// among it.
[[nodiscard]] std::string message_of(const SQLite::Exception& error);

/// What transactions of the file keep from now on.
void set_durability(SQLite::Database& db, Durability durability);

}  // namespace petlab::results::sql
