#include "schema_check_server.hpp"

#include "statements.hpp"
#include "store_server.hpp"

#include <regex>

namespace petlab::results {
namespace {

constexpr const char* kFresh = "petlab_check";

// "view 'x'", "column 'runs.seed'" ... of the current schema, and how the server describes each.
std::map<std::string, std::string> objects_in(const sql::Database& db) {
  std::map<std::string, std::string> objects;
  sql::Statement row(db, R"(
    WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'r' THEN 'table' ELSE 'index' END, c.relname,
           CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid)
                          WHEN 'i' THEN replace(pg_get_indexdef(c.oid), current_schema() || '.', '')
                          ELSE '' END
    FROM pg_class c WHERE c.relnamespace IN (TABLE ours) AND c.relkind IN ('r', 'v', 'i')
    UNION ALL
    SELECT 'column', c.relname || '.' || a.attname,
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                     a.attcollation, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace IN (TABLE ours) AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'rule', c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.connamespace IN (TABLE ours)
    UNION ALL
    SELECT 'trigger', t.tgname,
           concat_ws(' ', replace(pg_get_triggerdef(t.oid), current_schema() || '.', ''),
                     t.tgenabled, p.prosrc)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE c.relnamespace IN (TABLE ours) AND NOT t.tgisinternal)");
  while (row.step())
    objects.emplace(row.column(0).text() + " '" + row.column(1).text() + "'", row.column(2).text());
  return objects;
}

// Undoes what is done while it lives, refused statements too.
class Undone {
 public:
  explicit Undone(const sql::Database& db) : db_(db) { db_.run_script("SAVEPOINT before_check"); }
  ~Undone() {
    try {
      db_.run_script("ROLLBACK TO SAVEPOINT before_check");
    } catch (const sql::Exception&) {
      // The connection is lost, and all with it.
    }
  }
  Undone(const Undone&) = delete;
  Undone& operator=(const Undone&) = delete;

 private:
  const sql::Database& db_;
};

}  // namespace

void check_server_schema(const sql::Database& db, const TellProblem& tell) {
  const auto found = objects_in(db);
  const Undone undone(db);
  db.run_script(std::string("CREATE SCHEMA ") + kFresh + "; SET LOCAL search_path = " + kFresh);
  make_server_tables(db);
  const auto own = objects_in(db);
  for (const auto& [name, definition] : own) {
    const auto there = found.find(name);
    if (there == found.end() || there->second != definition)
      tell("its " + name + " is " +
           (there == found.end() ? "not there" : "not the one that petlab made"));
  }
  for (const auto& [name, definition] : found)
    if (name.starts_with("trigger") && own.count(name) == 0)
      tell("it has a " + name + " that petlab did not make");
}

std::map<std::string, std::string> own_server_views() {
  static const std::regex head(R"(\n(CREATE|DROP) VIEW (\w+)( AS\b)?)");
  std::map<std::string, std::string> views;
  for (int version = 1; version <= RunStore::schema_version(); ++version) {
    const std::string script = server_migration(version);
    for (std::sregex_iterator view(script.begin(), script.end(), head), end; view != end; ++view) {
      views.erase((*view)[2]);
      if ((*view)[1] == "DROP") continue;
      const auto begin = static_cast<std::size_t>(view->position() + view->length());
      views.emplace((*view)[2], "(" + script.substr(begin, script.find(";\n", begin) - begin) +
                                    ") AS own_view");
    }
  }
  return views;
}

}  // namespace petlab::results
