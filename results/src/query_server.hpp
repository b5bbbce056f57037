#pragma once

#include "petlab/results/query.hpp"

namespace petlab::results {

/// query_store() for a store on a server.
QueryResult query_server(const std::filesystem::path& store, const std::string& sql);

/// "the query " and the reason.
[[noreturn]] void refuse_query(const std::string& reason);

}  // namespace petlab::results
