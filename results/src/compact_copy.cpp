#include "petlab/results/compact_copy.hpp"

#include "statements.hpp"
#include "store_file.hpp"

namespace petlab::results {

void write_compact_copy(const std::filesystem::path& store, const std::filesystem::path& copy) {
  SQLite::Database db = open_store_file(store, OpenMode::read_write, std::chrono::seconds(30));
  // The copy keeps application_id and user_version, and has a rollback journal.
  with_store_errors(copy, "write it", [&] { execute(db, "VACUUM INTO ?", copy.string()); });
}

}  // namespace petlab::results
