#include "store_server.hpp"

#include "petlab/results/store_address.hpp"
#include "sql/postgres.hpp"
#include "statements.hpp"
#include "store.hpp"
#include "to_postgresql.hpp"

#include <charconv>

namespace petlab::results {
namespace {

bool is_true(const sql::Database& db, const std::string& condition) {
  sql::Statement row(db, "SELECT CASE WHEN " + condition + " THEN 1 ELSE 0 END");
  row.step();
  return row.column(0).integer() == 1;
}

std::string text_of(const sql::Database& db, const std::string& sql) {
  sql::Statement row(db, sql);
  row.step();
  return row.column(0).text();
}

bool has_tables(const sql::Database& db) {
  return is_true(db,
                 "EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND "
                 "tablename = 'petlab_store')");
}

int version_of(const sql::Database& db) {
  return static_cast<int>(find_id(db, "SELECT version FROM petlab_store").value_or(0));
}

// A schema of somebody else is left alone, as another program's file is.
void refuse_unfit(const sql::Database& db, const std::filesystem::path& store) {
  if (text_of(db, "SHOW server_encoding") != "UTF8")
    throw store_error(store, "its encoding is " + text_of(db, "SHOW server_encoding") +
                                 ", expected UTF8 (createdb --encoding UTF8 --template template0)");
  if (is_true(db, "current_schema() IS NULL"))
    throw store_error(store, "its search_path '" + text_of(db, "SHOW search_path") +
                                 "' names no schema that is there");
  if (has_tables(db) ||
      is_true(db,
              "NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
              "WHERE n.nspname = current_schema())"))
    return;
  throw store_error(store, "its schema '" + text_of(db, "SELECT current_schema()") +
                               "' has tables of another program, not of petlab; expected an empty "
                               "database, or a schema of its own "
                               "(?options=-csearch_path%3DSCHEMA)");
}

// Brings what is there up to date, or makes it. Another process may do so at the same time.
void migrate(const sql::Database& db, const std::filesystem::path& store) {
  with_store_errors(store, "make its tables", [&] {
    sql::Transaction transaction(db, sql::Access::write);
    refuse_unfit(db, store);
    const bool is_new = !has_tables(db);
    const int version = is_new ? 0 : version_of(db);
    check_schema_version(store, version);
    if (is_new) {
      db.run_script(
          "CREATE TABLE petlab_store (version BIGINT NOT NULL, id UUID NOT NULL);"
          "INSERT INTO petlab_store VALUES (0, gen_random_uuid())");
      make_server_tables(db);
    } else {
      for (int next = version + 1; next <= RunStore::schema_version(); ++next)
        db.run_script(server_migration(next));
    }
    execute(db, "UPDATE petlab_store SET version = ?",
            static_cast<std::int64_t>(RunStore::schema_version()));
    transaction.commit();
  });
}

sql::Database connect(const std::filesystem::path& store, OpenMode mode,
                      std::chrono::milliseconds busy_timeout) {
  const auto access = mode == OpenMode::read_only ? sql::Access::read : sql::Access::write;
  return sql::postgres_database(server_uri(store), access, busy_timeout);
}

}  // namespace

std::string server_migration(int version) {
  // Files of their own where the two engines differ by more than words.
  for (const ServerScript& script : server_scripts())
    if (script.version == version) return to_postgresql(script.sql);
  if (version < server_scripts().front().version) return "";
  return to_postgresql(migrations()[static_cast<std::size_t>(version) - 1]);
}

void make_server_tables(const sql::Database& db) {
  for (int version = 1; version <= RunStore::schema_version(); ++version)
    db.run_script(server_migration(version));
}

sql::Database open_store_server(const std::filesystem::path& store, OpenMode mode,
                                std::chrono::milliseconds busy_timeout) {
  sql::Database db = connect(store, mode, busy_timeout);
  refuse_unfit(db, store);
  if (!has_tables(db)) {
    if (mode != OpenMode::create)
      throw store_error(store, "the database is empty, not a petlab store; `petlab run` makes one");
    migrate(db, store);
    return db;
  }
  const int version = version_of(db);
  check_schema_version(store, version);
  if (version == RunStore::schema_version()) return db;
  if (mode == OpenMode::read_only)
    throw store_error(store, "it has schema version " + std::to_string(version) +
                                 ", this petlab reads version " +
                                 std::to_string(RunStore::schema_version()) +
                                 "; a command that writes (petlab run) brings it up to date");
  migrate(db, store);
  return db;
}

bool server_has_store(const std::filesystem::path& store) {
  return has_tables(connect(store, OpenMode::read_only, std::chrono::seconds(30)));
}

// Not by the server's numbers of transactions: after a crash it gives those again that it had not
// written down, and another's commit would be taken for one's own.
std::string new_writer(const sql::Database& db) {
  return text_of(db, "SELECT gen_random_uuid()");
}

void mark_write(const sql::Database& db, const std::string& writer, std::int64_t number) {
  if (number == 1) execute(db, "DELETE FROM petlab_writers WHERE seen < now() - INTERVAL '1 day'");
  execute(db,
          "INSERT INTO petlab_writers VALUES (?, ?, now()) ON CONFLICT (writer) "
          "DO UPDATE SET writes = excluded.writes, seen = excluded.seen",
          writer, number);
}

bool wrote_last(const sql::Database& db, const std::string& writer, std::int64_t number) {
  return find_id(db, "SELECT writes FROM petlab_writers WHERE writer = ?", writer) == number;
}

StoreFileId server_store_id(const sql::Database& db) {
  std::string digits = text_of(db, "SELECT id FROM petlab_store");
  std::erase(digits, '-');
  const auto half = [&](std::size_t begin) {
    std::uint64_t value = 0;
    (void)std::from_chars(digits.data() + begin, digits.data() + begin + 16, value, 16);
    return value;
  };
  if (digits.size() != 32) throw sql::Exception("its table petlab_store holds no number");
  return {half(0), half(16)};
}

}  // namespace petlab::results
