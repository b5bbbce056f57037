#pragma once

#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>

namespace petlab::results {

/// SQL scripts in order; script i brings a store from schema version i to i + 1.
std::span<const char* const> migrations();

/// An Error(store) whose sentence begins with the file.
base::Error store_error(const std::filesystem::path& path, const std::string& sentence);

/// The first digits of a hash in quotes, for sentences.
std::string short_hash(const std::string& hash);

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

/// What a power cut may undo of a committed transaction: nothing, or the latest ones. A killed
/// process undoes neither.
enum class Durability { synced, relaxed };
void set_durability(SQLite::Database& db, Durability durability);

/// Calls `work` and turns what SQLite throws into an Error(store) that says what was being done.
template <class Work>
auto with_store_errors(const std::filesystem::path& path, const std::string& doing, Work&& work) {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    throw store_error(path, "cannot " + doing + ": " + error.what());
  }
}

}  // namespace petlab::results
