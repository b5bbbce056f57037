#include "postgres_login.hpp"

#include "database.hpp"
#include "petlab/base/text.hpp"

#include <poll.h>

#include <algorithm>
#include <regex>

namespace petlab::results::sql {
namespace {

// libpq's own time-out (connect_timeout) works only inside PQconnectdb(). This way also the code of
// a refusal is known, which libpq has no function for: it stands in its verbose messages.
void wait_until_connected(PGconn* connection, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd descriptor{PQsocket(connection),
                      static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (left.count() <= 0 || ::poll(&descriptor, 1, static_cast<int>(left.count())) == 0)
      throw Exception("the server does not answer (waited for " +
                          std::to_string(timeout.count() / 1000) + " seconds)",
                      Exception::Reason::lost);
    state = PQconnectPoll(connection);
  }
}

std::string sqlstate_in(const std::string& said) {
  static const std::regex code(R"(:\s+(?=[A-Z]*[0-9])([0-9A-Z]{5}): )");
  std::smatch found;
  return std::regex_search(said, found, code) ? found[1].str() : "";
}

std::string name_of(const char* name) {
  return "'" + base::message_line(name == nullptr ? "" : name, 200) + "'";
}

[[noreturn]] void refuse(PGconn* connection) {
  const std::string said = PQerrorMessage(connection);
  const std::string code = sqlstate_in(said), line = in_one_line(said);
  const bool no_password = said.find("no password supplied") != said.npos;
  if (code.starts_with("28") || no_password)
    throw Exception("the server does not let user " + name_of(PQuser(connection)) +
                    " in: " + (no_password ? "it wants a password" : line) +
                    "; a password is taken from PGPASSWORD or ~/.pgpass");
  if (code == "3D000")
    throw Exception("the server has no database " + name_of(PQdb(connection)) +
                    "; expected one that was made for petlab (createdb)");
  if (!code.empty() && !is_away(code)) throw Exception("the server refuses: " + line);
  throw Exception("the server cannot be reached: " + line, Exception::Reason::lost);
}

}  // namespace

bool is_away(const std::string& sqlstate) {
  // Connection exceptions; stopped, crashed, starting; too many connections.
  return sqlstate.starts_with("08") || sqlstate == "57P01" || sqlstate == "57P02" ||
         sqlstate == "57P03" || sqlstate == "53300";
}

std::string in_one_line(const std::string& said) {
  std::string text = said;
  // Verbose messages have "DETAIL:", "LOCATION:" and so on in lines of their own; what libpq asks
  // of the user ("Is the server running ...?") is indented.
  for (const char* rest : {"\nDETAIL:", "\nHINT:", "\nLOCATION:", "\nCONTEXT:", "\n\t", "\nLINE "})
    text = text.substr(0, text.find(rest));
  static const std::regex severity(R"((FATAL|ERROR|PANIC):\s+(?:[0-9A-Z]{5}: )?)");
  return base::message_line(std::regex_replace(text, severity, ""), 500);
}

Pg log_in(const std::string& uri, std::chrono::milliseconds timeout) {
  const char* const names[] = {"dbname", "client_encoding", "fallback_application_name", nullptr};
  const char* const values[] = {uri.c_str(), "UTF8", "petlab", nullptr};
  Pg connection(PQconnectStartParams(names, values, /*expand_dbname=*/1));
  if (!connection) throw Exception("out of memory");
  if (PQstatus(connection.get()) == CONNECTION_BAD) refuse(connection.get());
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  wait_until_connected(connection.get(), timeout);
  if (PQstatus(connection.get()) != CONNECTION_OK) refuse(connection.get());
  PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

}  // namespace petlab::results::sql
