#include "petlab/results/export.hpp"

#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"
#include "queries.hpp"
#include "run_reader.hpp"
#include "schema_check.hpp"
#include "statements.hpp"
#include "store.hpp"

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

std::string field(const sql::Column& value) {
  if (value.is_null()) return "";
  if (value.type() == sql::Type::real) return base::number_text(value.real());
  const std::string text = value.text();
  if (value.type() == sql::Type::integer) return text;
  const std::string cell = base::spreadsheet_text(text);
  const bool plain = !cell.empty() && cell.find_first_of(",\"\r\n") == std::string::npos;
  return plain ? cell : quoted(cell);
}

std::string csv_of(sql::Statement& row) {
  std::string csv;
  for (int i = 0; i < row.columns(); ++i)
    csv.append(i == 0 ? "" : ",").append(row.name(i));
  csv += "\r\n";
  while (row.step()) {
    for (int i = 0; i < row.columns(); ++i)
      csv.append(i == 0 ? "" : ",").append(field(row.column(i)));
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

void refuse_unknown(const sql::Database& db, const std::filesystem::path& store,
                    const std::string& study) {
  std::string others;
  for (const std::string& name : read_study_names(db)) {
    if (name == study) return;
    others += (others.empty() ? "'" : ", '") + name + "'";
  }
  throw store_error(store, "it holds no study '" + study + "', " +
                               (others.empty() ? "and no other" : "only " + others));
}

// The views count what the rows say; what the rows say is what the predictions give.
void check_all_runs(const sql::Database& db, const std::filesystem::path& store) {
  KnownSplits splits(db);
  CheckedRunReader reader(db, store, LoadDetail::without_predictions, splits);
  sql::Statement run(db, "SELECT identity FROM runs ORDER BY run_id");
  while (run.step())
    (void)reader.read(run.column(0).text());
}

}  // namespace

std::vector<std::filesystem::path> export_views(const std::filesystem::path& store,
                                                const std::filesystem::path& folder,
                                                const std::optional<std::string>& study) {
  const sql::Database db = open_store(store, OpenMode::read_only);
  return with_store_errors(store, "export its views", [&] {
    const sql::Transaction one_state(db);
    if (study) refuse_unknown(db, store, *study);
    check_all_runs(db, store);
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) {
      throw store_error(store, "cannot make folder '" + folder.string() + "': " + failed.message());
    }
    std::vector<std::filesystem::path> files;
    // Only petlab's own: a name of somebody's view may be a path that leads anywhere.
    for (const auto& [name, source] : own_views(db, store)) {
      sql::Statement rows(db, "SELECT * FROM " + source + (study ? " WHERE study = ?" : ""));
      if (study) rows.bind(1, *study);
      files.push_back(folder / (name + ".csv"));
      write_file(store, files.back(), csv_of(rows));
    }
    return files;
  });
}

}  // namespace petlab::results
