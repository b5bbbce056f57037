#include "petlab/results/compact_copy.hpp"

#include "petlab/results/store_address.hpp"
#include "statements.hpp"
#include "store.hpp"

namespace petlab::results {

void write_compact_copy(const std::filesystem::path& store, const std::filesystem::path& copy) {
  if (is_on_server(store)) throw store_error(store, "only the file of a store can be copied");
  const sql::Database db = open_store(store, OpenMode::read_write);
  // The copy keeps application_id and user_version, and has a rollback journal.
  with_store_errors(copy, "write it", [&] { execute(db, "VACUUM INTO ?", copy.string()); });
}

}  // namespace petlab::results
