#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <string>

namespace petlab::results::sql {

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Pg = std::unique_ptr<PGconn, Finish>;

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, Clear>;

/// A connection that is ready, in UTF-8. Throws an Exception with one sentence that says why there
/// is none, and what to do where it is a password or a database that is missing.
[[nodiscard]] Pg log_in(const std::string& uri, std::chrono::milliseconds timeout);

/// Whether an SQLSTATE says that the server is not there for us now: it stops, starts, or has no
/// room.
[[nodiscard]] bool is_away(const std::string& sqlstate);

/// What libpq says, as a part of a sentence: one line, without "FATAL:" and the like.
[[nodiscard]] std::string in_one_line(const std::string& said);

}  // namespace petlab::results::sql
