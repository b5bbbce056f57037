#include "store.hpp"

#include "petlab/base/text.hpp"
#include "petlab/results/store_address.hpp"
#include "sql/sqlite.hpp"
#include "store_file.hpp"
#include "store_server.hpp"

#include <system_error>

namespace petlab::results {

base::Error store_error(const std::filesystem::path& store, const std::string& sentence) {
  return {base::ErrorKind::store, "results store '" + shown_address(store) + "': " + sentence};
}

std::string quoted_hash(const std::string& hash) {
  return "'" + base::short_hash(hash) + "'";
}

void check_schema_version(const std::filesystem::path& store, int version) {
  const int known = RunStore::schema_version();
  if (version < 0)
    throw store_error(store, "it has schema version " + std::to_string(version) +
                                 ", expected 0 to " + std::to_string(known));
  if (version <= known) return;
  throw store_error(store, "it has schema version " + std::to_string(version) +
                               ", this petlab knows versions up to " + std::to_string(known) +
                               "; use the newer petlab that wrote it");
}

sql::Database open_store(const std::filesystem::path& store, OpenMode mode,
                         std::chrono::milliseconds busy_timeout) {
  return with_store_errors(store, "open it",
                           [&] { return open_unless_away(store, mode, busy_timeout); });
}

sql::Database open_unless_away(const std::filesystem::path& store, OpenMode mode,
                               std::chrono::milliseconds busy_timeout) {
  check_address(store);
  return is_on_server(store) ? open_store_server(store, mode, busy_timeout)
                             : sql::sqlite_database(open_store_file(store, mode, busy_timeout));
}

bool has_store(const std::filesystem::path& store) {
  check_address(store);
  std::error_code ignored;
  if (!is_on_server(store)) return std::filesystem::exists(store, ignored);
  return with_store_errors(store, "open it", [&] { return server_has_store(store); });
}

}  // namespace petlab::results
