#pragma once

#include "database.hpp"

#include <chrono>
#include <string>

namespace petlab::results::sql {

/// A database of a PostgreSQL server, over libpq. `uri`: libpq's, without a password.
/// `access`: read, and nothing can be changed through it but in a transaction that asks to write.
/// `busy_timeout`: how long one that writes waits for another. Throws an Exception with one
/// sentence: is_lost() where the server cannot be reached or has no room for another connection.
[[nodiscard]] Database postgres_database(const std::string& uri, Access access,
                                         std::chrono::milliseconds busy_timeout);

}  // namespace petlab::results::sql
