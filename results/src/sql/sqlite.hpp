#pragma once

#include "database.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace petlab::results::sql {

/// An SQLite file, opened already.
[[nodiscard]] Database sqlite_database(SQLite::Database file);

/// What transactions of the file keep from now on.
void set_durability(SQLite::Database& db, Durability durability);

}  // namespace petlab::results::sql
