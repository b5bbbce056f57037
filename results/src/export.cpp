#include "petlab/results/export.hpp"

#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"
#include "queries.hpp"
#include "run_reader.hpp"
#include "statements.hpp"
#include "store_file.hpp"

#include <system_error>

namespace petlab::results {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

std::string field(const SQLite::Column& value) {
  if (value.isNull()) return "";
  if (value.isFloat()) return base::number_text(value.getDouble());
  const std::string text = value.getString();
  if (value.isInteger()) return text;
  const std::string cell = base::spreadsheet_text(text);
  const bool plain = !cell.empty() && cell.find_first_of(",\"\r\n") == std::string::npos;
  return plain ? cell : quoted(cell);
}

std::string csv_of(SQLite::Statement& row) {
  std::string csv;
  for (int i = 0; i < row.getColumnCount(); ++i)
    csv.append(i == 0 ? "" : ",").append(row.getColumnName(i));
  csv += "\r\n";
  while (row.executeStep()) {
    for (int i = 0; i < row.getColumnCount(); ++i)
      csv.append(i == 0 ? "" : ",").append(field(row.getColumn(i)));
    csv += "\r\n";
  }
  return csv;
}

void write_file(const std::filesystem::path& store, const std::filesystem::path& path,
                const std::string& text) {
  try {
    base::write_file(path, text, {.durability = base::Durability::process});
  } catch (const base::Error& error) {
    throw store_error(store, error.what());
  }
}

void refuse_unknown(const SQLite::Database& db, const std::filesystem::path& store,
                    const std::string& study) {
  std::string others;
  for (const std::string& name : read_study_names(db)) {
    if (name == study) return;
    others += (others.empty() ? "'" : ", '") + name + "'";
  }
  throw store_error(store, "it holds no study '" + study + "', " +
                               (others.empty() ? "and no other" : "only " + others));
}

// A view that somebody changed would say what it likes of the runs.
void refuse_changed(const SQLite::Database& db, const std::filesystem::path& store,
                    const std::string& name, const std::string& sql) {
  SQLite::Statement found =
      query(db, "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?", name);
  if (!found.executeStep())
    throw store_error(store, "its view '" + name + "' is not there; petlab check STORE says more");
  if (found.getColumn(0).getString() != sql)
    throw store_error(store, "its view '" + name +
                                 "' is not the one that petlab made; petlab check STORE says more");
}

// The views count what the rows say; what the rows say is what the predictions give.
void check_all_runs(const SQLite::Database& db, const std::filesystem::path& store) {
  KnownSplits splits(db);
  CheckedRunReader reader(db, store, LoadDetail::without_predictions, splits);
  SQLite::Statement run(db, "SELECT identity FROM runs ORDER BY run_id");
  while (run.executeStep())
    (void)reader.read(run.getColumn(0).getString());
}

}  // namespace

std::vector<std::filesystem::path> export_views(const std::filesystem::path& store,
                                                const std::filesystem::path& folder,
                                                const std::optional<std::string>& study) {
  SQLite::Database db = open_store_file(store, OpenMode::read_only, std::chrono::seconds(30));
  return with_store_errors(store, "export its views", [&] {
    SQLite::Transaction one_state(db);
    if (study) refuse_unknown(db, store, *study);
    check_all_runs(db, store);
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) {
      throw store_error(store, "cannot make folder '" + folder.string() + "': " + failed.message());
    }
    std::vector<std::filesystem::path> files;
    // Only petlab's own: a name of somebody's view may be a path that leads anywhere.
    for (const auto& [name, sql] : own_schema("view")) {
      refuse_changed(db, store, name, sql);
      SQLite::Statement rows(db,
                             "SELECT * FROM \"" + name + "\"" + (study ? " WHERE study = ?" : ""));
      if (study) rows.bind(1, *study);
      files.push_back(folder / (name + ".csv"));
      write_file(store, files.back(), csv_of(rows));
    }
    return files;
  });
}

}  // namespace petlab::results
