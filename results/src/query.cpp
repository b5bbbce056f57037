#include "petlab/results/query.hpp"

#include "petlab/base/error.hpp"
#include "petlab/results/store_address.hpp"
#include "query_server.hpp"
#include "store_file.hpp"

#include <sqlite3.h>

#include <memory>
#include <string_view>

namespace petlab::results {
namespace {

// What a query may do: read, compute, recurse. Asked while a statement is compiled, so that nothing
// else ever runs.
int only_reading(void* /*unused*/, int action, const char* /*unused*/, const char* name,
                 const char* /*unused*/, const char* /*unused*/) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return std::string_view(name) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

// The first statement of the text, which goes on at `text` behind it; null where there is none.
Statement compile(sqlite3* db, const char*& text) {
  sqlite3_stmt* compiled = nullptr;
  const int outcome = sqlite3_prepare_v2(db, text, -1, &compiled, &text);
  Statement statement(compiled);
  if (outcome == SQLITE_AUTH)
    refuse_query("does more than read a store: expected one SELECT (" +
                 std::string(sqlite3_errmsg(db)) + ")");
  if (statement && sqlite3_stmt_readonly(statement.get()) == 0)
    refuse_query("does more than read a store: expected one SELECT");
  if (outcome != SQLITE_OK)
    refuse_query("is not SQL that SQLite understands: " + std::string(sqlite3_errmsg(db)));
  return statement;
}

Statement only_statement(sqlite3* db, const std::string& sql) {
  if (sql.find('\0') != std::string::npos) refuse_query("holds a byte 0");
  const char* rest = sql.c_str();
  Statement first;
  while (*rest != '\0') {
    Statement next = compile(db, rest);
    if (next && first) refuse_query("is more than one statement: expected one SELECT");
    if (next) first = std::move(next);
  }
  if (!first) refuse_query("is empty: expected one SELECT");
  return first;
}

std::string bytes_of(const void* data, int size) {
  return size == 0 ? std::string()
                   : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

SqlValue cell_of(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(row, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_TEXT: {
      const void* text = sqlite3_column_text(row, column);
      return bytes_of(text, sqlite3_column_bytes(row, column));
    }
    case SQLITE_BLOB: {
      const void* blob = sqlite3_column_blob(row, column);
      return Blob{bytes_of(blob, sqlite3_column_bytes(row, column))};
    }
    default:
      return std::monostate{};
  }
}

}  // namespace

void refuse_query(const std::string& reason) {
  throw base::Error(base::ErrorKind::config, "the query " + reason);
}

QueryResult query_store(const std::filesystem::path& store, const std::string& sql) {
  check_address(store);
  if (is_on_server(store)) return query_server(store, sql);
  const SQLite::Database file =
      open_store_file(store, OpenMode::read_only, std::chrono::seconds(30));
  sqlite3* db = file.getHandle();
  sqlite3_set_authorizer(db, only_reading, nullptr);
  const Statement row = only_statement(db, sql);
  QueryResult result;
  const int columns = sqlite3_column_count(row.get());
  for (int i = 0; i < columns; ++i)
    result.columns.emplace_back(sqlite3_column_name(row.get(), i));
  int outcome = SQLITE_ROW;
  while ((outcome = sqlite3_step(row.get())) == SQLITE_ROW) {
    std::vector<SqlValue>& values = result.rows.emplace_back();
    for (int i = 0; i < columns; ++i)
      values.push_back(cell_of(row.get(), i));
  }
  if (outcome != SQLITE_DONE)
    throw store_error(store, std::string("the query stopped: ") + sqlite3_errmsg(db));
  return result;
}

}  // namespace petlab::results
