#pragma once

#include "petlab/results/run_store.hpp"
#include "sql/database.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

/// The PostgreSQL database under a store.
namespace petlab::results {

/// Opens the store as RunStore's constructor promises. One of an older schema is brought up to date
/// by whoever opens it to write, and refused to who only reads. Throws Error(store), for a server
/// that cannot be reached an sql::Exception that is_lost().
sql::Database open_store_server(const std::filesystem::path& store, OpenMode mode,
                                std::chrono::milliseconds busy_timeout);

/// Whether the database has petlab's tables. Throws Error(store) where it cannot be asked.
bool server_has_store(const std::filesystem::path& store);

/// The number that the store got when it was made, which no other has.
StoreFileId server_store_id(const sql::Database& db);

/// A name for one who writes, which no other has.
std::string new_writer(const sql::Database& db);

/// Leaves in the open transaction that it is the writer's write of this number, so that
/// wrote_last() can tell whether it was committed when the connection was lost in that. Numbers
/// begin with 1.
void mark_write(const sql::Database& db, const std::string& writer, std::int64_t number);

/// Whether the writer's last write that was committed has this number. Asked in a transaction that
/// writes, which begins only when the server has ended the lost one.
bool wrote_last(const sql::Database& db, const std::string& writer, std::int64_t number);

/// The script that brings a store on a server from `version` - 1 to `version`; for the first
/// version that there was on servers, from nothing.
std::string server_migration(int version);

/// Puts the tables of the first version that there was on servers, and what came since, into the
/// database's current schema, inside the caller's transaction.
void make_server_tables(const sql::Database& db);

}  // namespace petlab::results
