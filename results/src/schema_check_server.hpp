#pragma once

#include "schema_check.hpp"

namespace petlab::results {

/// check_schema() on a server: everything against a schema that is made anew beside it. Needs the
/// right to make one, and undoes it.
void check_server_schema(const sql::Database& db, const TellProblem& tell);

/// own_views() on a server: what petlab itself would select, whatever the views there say.
std::map<std::string, std::string> own_server_views();

}  // namespace petlab::results
