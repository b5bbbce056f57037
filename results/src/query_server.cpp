#include "query_server.hpp"

#include "petlab/base/error.hpp"
#include "statements.hpp"
#include "store.hpp"

#include <regex>

namespace petlab::results {
namespace {

// That it is one statement, and changes nothing, is the server's to see to; what remains are
// statements that do something else in a transaction that only reads.
void check_is_select(const std::string& sql) {
  static const std::regex select(
      R"(^(?:\s|\(|--[^\n]*\n|/\*[^*]*\*/)*(SELECT|WITH|VALUES|TABLE)\b[^]*)", std::regex::icase);
  constexpr std::size_t kBegin = 1000;  // where the first word is
  if (sql.find('\0') != std::string::npos) refuse_query("holds a byte 0");
  if (sql.find_first_not_of(" \t\r\n;") == std::string::npos)
    refuse_query("is empty: expected one SELECT");
  if (!std::regex_match(sql.substr(0, kBegin), select))
    refuse_query("does more than read a store: expected one SELECT");
}

SqlValue cell_of(const sql::Column& column) {
  switch (column.type()) {
    case sql::Type::integer:
      return column.integer();
    case sql::Type::real:
      return column.real();
    case sql::Type::text:
      return column.text();
    case sql::Type::bytes:
      return Blob{column.text()};
    default:
      return std::monostate{};
  }
}

}  // namespace

QueryResult query_server(const std::filesystem::path& store, const std::string& sql) {
  check_is_select(sql);
  const sql::Database db = open_store(store, OpenMode::read_only);
  QueryResult result;
  try {
    const sql::Transaction one_state(db);
    sql::Statement row(db, sql);
    for (int i = 0; i < row.columns(); ++i)
      result.columns.push_back(row.name(i));
    while (row.step()) {
      std::vector<SqlValue>& values = result.rows.emplace_back();
      for (int i = 0; i < row.columns(); ++i)
        values.push_back(cell_of(row.column(i)));
    }
  } catch (const sql::Exception& error) {
    if (error.is_lost()) throw store_error(store, error.what());
    refuse_query(std::string("is refused by PostgreSQL: ") + error.what());
  }
  return result;
}

}  // namespace petlab::results
