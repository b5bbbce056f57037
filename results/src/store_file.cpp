#include "store_file.hpp"

#include "network_file_system.hpp"
#include "petlab/base/private_folder.hpp"
#include "petlab/base/text.hpp"
#include "sql/sqlite.hpp"

#include <SQLiteCpp/Backup.h>
#include <sqlite3.h>

#include <sys/stat.h>

#include <array>
#include <system_error>
#include <thread>

namespace petlab::results {
namespace {

// Marks the file as a petlab store ("petl" in ASCII), so that another program's database is never
// taken for one.
constexpr int kApplicationId = 0x7065746c;

int schema_of(const SQLite::Database& db) {
  SQLite::Statement query(db, "PRAGMA user_version");
  query.executeStep();
  return query.getColumn(0).getInt();
}

int application_of(const SQLite::Database& db) {
  SQLite::Statement query(db, "PRAGMA application_id");
  query.executeStep();
  return query.getColumn(0).getInt();
}

bool is_empty(const SQLite::Database& db) {
  SQLite::Statement query(db, "SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)");
  query.executeStep();
  return query.getColumn(0).getInt() != 0;
}

// One read transaction, so that another process that is just creating the file is seen either
// before or after, never in between.
struct FileState {
  int schema;
  int application;
  bool empty;
};

FileState state_of(SQLite::Database& db) {
  SQLite::Transaction transaction(db);
  return {schema_of(db), application_of(db), is_empty(db)};
}

// The journal is a property of the file: one that was copied to another file system is switched.
// SQLite answers "busy" at once when two processes switch a file at the same time, so the waiting
// is done here.
void switch_journal(SQLite::Database& db, const std::filesystem::path& path, Journal journal,
                    std::chrono::milliseconds busy_timeout) {
  const std::string wanted = journal == Journal::write_ahead ? "wal" : "delete";
  const auto deadline = std::chrono::steady_clock::now() + busy_timeout;
  while (true) {
    try {
      SQLite::Statement pragma(db, "PRAGMA journal_mode = " + wanted);
      pragma.executeStep();
      if (pragma.getColumn(0).getString() == wanted) return;
      throw store_error(path, "cannot use SQLite's journal mode '" + wanted + "' here");
    } catch (const SQLite::Exception& error) {
      const bool busy =
          error.getErrorCode() == SQLITE_BUSY || error.getErrorCode() == SQLITE_LOCKED;
      if (!busy || std::chrono::steady_clock::now() >= deadline) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

void migrate(SQLite::Database& db, const std::filesystem::path& path) {
  // A migration may put another table in the place of one that others refer to, by its name.
  db.exec("PRAGMA foreign_keys = OFF");
  db.exec("PRAGMA legacy_alter_table = ON");
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  int version = schema_of(db);  // again: another process may have been faster
  check_schema_version(path, version);
  for (; version < RunStore::schema_version(); ++version) {
    db.exec(migrations()[static_cast<std::size_t>(version)]);
  }
  db.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
  db.exec("PRAGMA user_version = " + std::to_string(version));
  if (SQLite::Statement broken(db, "PRAGMA foreign_key_check"); broken.executeStep())
    throw store_error(path, "a row of its table '" + broken.getColumn(0).getString() +
                                "' refers to one that is not there");
  transaction.commit();
  db.exec("PRAGMA legacy_alter_table = OFF");
  db.exec("PRAGMA foreign_keys = ON");
}

// A copy in a temporary file of SQLite's own, which goes away with the connection. The older file
// stays as it is.
SQLite::Database migrated_copy(SQLite::Database& older, const std::filesystem::path& path) {
  SQLite::Database copy("", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  const int outcome = SQLite::Backup(copy, older).executeStep();
  if (outcome != SQLITE_DONE) {
    throw store_error(path, std::string("cannot copy it: ") + sqlite3_errstr(outcome));
  }
  migrate(copy, path);
  copy.exec("PRAGMA query_only = ON");
  return copy;
}

// A file of somebody else: it may hold anything, and nothing of it is to run unseen.
void trust_nothing(SQLite::Database& db) {
  db.exec("PRAGMA trusted_schema = OFF");
  db.exec("PRAGMA cell_size_check = ON");
}

// SQLite opens a pipe and waits for its other end.
void refuse_other_kinds(const std::filesystem::path& path) {
  std::error_code unknown;
  const std::filesystem::file_status status = std::filesystem::status(path, unknown);
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) return;
  throw store_error(path, std::string("it is ") +
                              (std::filesystem::is_directory(status) ? "a folder"
                               : std::filesystem::is_fifo(status)    ? "a pipe"
                               : std::filesystem::is_socket(status)  ? "a socket"
                                                                     : "a device") +
                              ", expected a file");
}

SQLite::Database open_file(const std::filesystem::path& path, OpenMode mode,
                           std::chrono::milliseconds busy_timeout) {
  int flags = SQLite::OPEN_READWRITE;
  if (mode == OpenMode::read_only) flags = SQLite::OPEN_READONLY;
  if (mode == OpenMode::create) {
    flags |= SQLite::OPEN_CREATE;
    if (path.has_parent_path()) {
      std::error_code failed;
      std::filesystem::create_directories(path.parent_path(), failed);
      if (failed) throw store_error(path, "cannot make its folder: " + failed.message());
    }
  } else if (std::error_code failed; !std::filesystem::exists(path, failed)) {
    if (failed) throw store_error(path, "cannot open it: " + failed.message());
    throw store_error(path, "there is no such file; `petlab run` makes one");
  }
  refuse_other_kinds(path);
  SQLite::Database db(path.string(), flags, static_cast<int>(busy_timeout.count()));
  trust_nothing(db);
  return db;
}

// What changes when somebody writes to a file.
std::string stamp_of(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return "absent";
  return std::to_string(status.st_ino) + " " + std::to_string(status.st_size) + " " +
         std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
}

// The copy that is read where SQLite cannot work beside the file: write-ahead logging wants a file
// of shared memory there even to read, and a log that a killed process left wants to be played
// back.
SQLite::Database copy_elsewhere(const std::filesystem::path& path) {
  const base::PrivateFolder folder("petlab-store");
  const std::filesystem::path target = folder.path() / "store.sqlite";
  const std::filesystem::path source = std::filesystem::canonical(path);
  const auto beside = [](std::filesystem::path file, const char* suffix) {
    file += suffix;
    return file;
  };
  constexpr std::array kParts = {"", "-wal", "-journal"};
  const auto stamps = [&] {
    std::string all;
    for (const char* suffix : kParts)
      all += stamp_of(beside(source, suffix)) + "\n";
    return all;
  };
  constexpr int kAttempts = 5;
  for (int attempt = 0;; ++attempt) {
    const std::string before = stamps();
    for (const char* suffix : kParts) {
      std::filesystem::remove(beside(target, suffix));
      if (std::filesystem::exists(beside(source, suffix)))
        std::filesystem::copy_file(beside(source, suffix), beside(target, suffix));
    }
    if (stamps() == before) break;
    if (attempt == kAttempts)
      throw store_error(path,
                        "it is written to all the time and cannot be read beside that here; "
                        "try again when its study stands still");
  }
  // A copy of a read-only file is one too.
  std::filesystem::permissions(target, std::filesystem::perms::owner_all);
  SQLite::Database copied(target.string(), SQLite::OPEN_READWRITE);
  trust_nothing(copied);
  SQLite::Database result("", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  const int outcome = SQLite::Backup(result, copied).executeStep();
  if (outcome != SQLITE_DONE)
    throw store_error(path, std::string("cannot copy it: ") + sqlite3_errstr(outcome));
  trust_nothing(result);
  return result;
}

// Opened so that it can be read, in its place or as a copy.
SQLite::Database open_readable(const std::filesystem::path& path, OpenMode mode,
                               std::chrono::milliseconds busy_timeout) {
  SQLite::Database db = open_file(path, mode, busy_timeout);
  if (mode != OpenMode::read_only) return db;
  try {
    (void)state_of(db);
    return db;
  } catch (const SQLite::Exception& error) {
    const int code = error.getErrorCode();
    if (code != SQLITE_CANTOPEN && code != SQLITE_READONLY) throw;
  }
  try {
    return copy_elsewhere(path);
  } catch (const std::filesystem::filesystem_error& error) {
    throw store_error(path, "cannot copy it to read it: " + error.code().message());
  }
}

}  // namespace

std::optional<StoreFileId> file_id_of(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return StoreFileId{static_cast<std::uint64_t>(status.st_dev),
                     static_cast<std::uint64_t>(status.st_ino)};
}

std::map<std::string, std::string> own_schema(const std::string& type) {
  SQLite::Database fresh(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  migrate(fresh, ":memory:");
  std::map<std::string, std::string> objects;
  SQLite::Statement row(fresh,
                        "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL");
  row.bind(1, type);
  while (row.executeStep())
    objects.emplace(row.getColumn(0).getString(), row.getColumn(1).getString());
  return objects;
}

Journal journal_for(const std::filesystem::path& path) {
  return is_on_network(path) ? Journal::rollback : Journal::write_ahead;
}

SQLite::Database open_store_file(const std::filesystem::path& path, OpenMode mode,
                                 std::chrono::milliseconds busy_timeout) {
  return open_store_file(path, mode, busy_timeout, journal_for(path));
}

SQLite::Database open_store_file(const std::filesystem::path& path, OpenMode mode,
                                 std::chrono::milliseconds busy_timeout, Journal journal) {
  try {
    SQLite::Database db = open_readable(path, mode, busy_timeout);
    const FileState found = state_of(db);
    const bool fresh = found.empty && found.application == 0 && found.schema == 0;
    if (!fresh && found.application != kApplicationId) {
      throw store_error(path, "this is another program's SQLite file, not a petlab store");
    }
    if (fresh && mode != OpenMode::create) {
      throw store_error(path, "the file is empty, not a petlab store");
    }
    check_schema_version(path, found.schema);
    if (mode == OpenMode::read_only) {
      if (found.schema < RunStore::schema_version()) return migrated_copy(db, path);
      db.exec("PRAGMA query_only = ON");
      return db;
    }
    switch_journal(db, path, journal, busy_timeout);
    db.exec("PRAGMA foreign_keys = ON");
    sql::set_durability(db, sql::Durability::synced);
    if (found.schema < RunStore::schema_version()) migrate(db, path);
    return db;
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_NOTADB) {
      throw store_error(path, "this is not an SQLite file");
    }
    throw store_error(path, "cannot open it: " + sql::message_of(error));
  }
}

}  // namespace petlab::results
