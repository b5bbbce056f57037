#pragma once

#include "sample_records.hpp"

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

/// Stores of both kinds for tests: files, and databases of a real PostgreSQL server.
namespace petlab::results::sample {

/// A PostgreSQL server of a test program's own: on a Unix socket in a temporary folder, with this
/// user's rights (those of `postgres` for root, as whom no server starts). It ends with the object
/// or the program, whatever ends that.
class PostgresServer {
 public:
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// Whether this system has one (Debian's package postgresql).
  static bool is_installed();
  /// The one that tests share, which only a few of them stop: started at the first call.
  static PostgresServer& shared();

  void start();
  /// As the system does it ("fast"), or as a crash does ("immediate").
  void stop(const std::string& how = "fast");

  /// The URI of a new, empty database.
  [[nodiscard]] std::string new_database();
  [[nodiscard]] std::string uri(const std::string& database,
                                const std::string& user = "petlab") const;

  /// Runs SQL as the owner of everything; returns the first value of what it gives, or "".
  static std::string run(const std::string& uri, const std::string& sql);

  /// Lines that come before others in who may log in how (pg_hba.conf).
  void set_logins(const std::string& lines);

 private:
  [[nodiscard]] std::string control(const std::string& arguments) const;

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "server";
  int databases_ = 0;
  pid_t starter_;
};

enum class StoreKind { file, server };
void PrintTo(StoreKind kind, std::ostream* out);

/// Those that there are here.
[[nodiscard]] std::vector<StoreKind> store_kinds();

/// The address of a store that is not there yet; what belongs beside it lies in the folder.
[[nodiscard]] std::filesystem::path new_store(StoreKind kind, const TemporaryFolder& folder,
                                              const std::string& name = "runs.sqlite");

/// What somebody does to a store with another tool. Returns the first value that comes out, or "".
std::string change_store(const std::filesystem::path& store, const std::string& sql);

/// "file", "server": for names of tests.
struct KindName {
  template <class Info>
  std::string operator()(const Info& info) const {
    return info.param == StoreKind::file ? "File" : "Server";
  }
};

}  // namespace petlab::results::sample

/// Runs the tests of a fixture with TestWithParam<sample::StoreKind> on both kinds of stores.
#define PETLAB_ON_EVERY_KIND_OF_STORE(fixture)                                    \
  INSTANTIATE_TEST_SUITE_P(On, fixture, testing::ValuesIn(sample::store_kinds()), \
                           sample::KindName())
