#pragma once

#include "sql/database.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>

/// Whether what lies under a store, its tables and views, is what petlab made.
namespace petlab::results {

/// Told what is wrong, as the end of a sentence: "it has a trigger 'x' that petlab did not make".
using TellProblem = std::function<void(const std::string&)>;

/// The engine's own checks of the file, rows that refer to what is not there. A server sees to that
/// itself.
void check_engine(const sql::Database& db, const TellProblem& tell);

/// Tables, views, triggers and indices against those that petlab makes. Tables and views that
/// somebody added change nothing; a trigger would. Inside the caller's transaction, on a server
/// one that may write.
void check_schema(const sql::Database& db, const TellProblem& tell);

/// What stands behind FROM to get the rows of each view that petlab gives a store, by its name.
/// Throws Error(store) where a view of the store is not petlab's any more.
std::map<std::string, std::string> own_views(const sql::Database& db,
                                             const std::filesystem::path& store);

}  // namespace petlab::results
