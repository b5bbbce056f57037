#pragma once

#include "petlab/results/run_store.hpp"
#include "store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

/// The SQLite file under a store.

namespace petlab::results {

/// How SQLite keeps a transaction whole. With write-ahead logging readers and a writer do not wait
/// for each other, but its index is memory that only processes of one host share. A rollback
/// journal needs nothing but file locks.
enum class Journal { write_ahead, rollback };

/// The journal that is safe where the file lies.
Journal journal_for(const std::filesystem::path& path);

/// Opens the file as RunStore's constructor promises.
SQLite::Database open_store_file(const std::filesystem::path& path, OpenMode mode,
                                 std::chrono::milliseconds busy_timeout);
SQLite::Database open_store_file(const std::filesystem::path& path, OpenMode mode,
                                 std::chrono::milliseconds busy_timeout, Journal journal);

/// The file that a path leads to; nothing where there is none.
std::optional<StoreFileId> file_id_of(const std::filesystem::path& path);

/// What petlab puts into a store of the current version: the SQL of its objects ("table", "view",
/// "trigger", "index") by their names.
std::map<std::string, std::string> own_schema(const std::string& type);

}  // namespace petlab::results
