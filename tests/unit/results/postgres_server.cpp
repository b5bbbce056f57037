#include "postgres_server.hpp"

#include "petlab/results/store_address.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <libpq-fe.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace petlab::results::sample {
namespace {

namespace fs = std::filesystem;

// The newest version's programs: Debian's are not on the path.
fs::path programs() {
  fs::path newest;
  int version = 0;
  std::error_code none;
  for (fs::directory_iterator entry("/usr/lib/postgresql", none), end; !none && entry != end;
       entry.increment(none)) {
    const int number = std::atoi(entry->path().filename().c_str());
    if (number > version && fs::exists(entry->path() / "bin/initdb")) {
      version = number;
      newest = entry->path() / "bin";
    }
  }
  return newest;
}

// A server does not start as root.
std::string as_user() {
  return ::getuid() == 0
             ? "setpriv --reuid=postgres --regid=postgres --clear-groups --pdeathsig=QUIT "
             : "setpriv --pdeathsig=QUIT ";
}

void shell(const std::string& line) {
  std::string said;
  FILE* pipe = ::popen(("{ " + line + "; } 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    said.append(buffer.data(), n);
  if (::pclose(pipe) != 0) throw std::runtime_error(line + ": " + said);
}

}  // namespace

PostgresServer::PostgresServer() : starter_(::getpid()) {
  fs::create_directories(path_);
  if (::getuid() == 0) shell("chown postgres '" + path_.string() + "'");
  // The folder above it is this user's alone.
  fs::permissions(path_.parent_path(),
                  fs::perms::owner_all | fs::perms::others_exec | fs::perms::group_exec);
  shell("cd / && " + as_user() + (programs() / "initdb").string() + " -D '" +
        (path_ / "data").string() + "' -A trust -U petlab -E UTF8 --locale=C.UTF-8 --no-sync");
  start();
}

PostgresServer::~PostgresServer() {
  if (::getpid() != starter_) return;  // a child process of the tests
  try {
    stop("immediate");
  } catch (const std::exception&) {
    // It has ended already.
  }
}

bool PostgresServer::is_installed() {
  return !programs().empty();
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

std::string PostgresServer::control(const std::string& arguments) const {
  return "cd / && " + as_user() + (programs() / "pg_ctl").string() + " -D '" +
         (path_ / "data").string() + "' -w -t 60 " + arguments + " > /dev/null";
}

void PostgresServer::start() {
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string line = "cd / && exec " + as_user() + (programs() / "postgres").string() +
                             " -D '" + (path_ / "data").string() + "' -k '" + path_.string() +
                             "' -c listen_addresses= -c fsync=off -c max_connections=120 "
                             "-c shared_buffers=32MB > '" +
                             (folder_ / "server.log").string() + "' 2>&1";
    ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    ::_exit(127);
  }
  const std::string address = uri("postgres");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (PQping(address.c_str()) != PQPING_OK) {
    if (std::chrono::steady_clock::now() > deadline ||
        ::waitpid(child, nullptr, WNOHANG) == child) {
      std::ifstream log(folder_ / "server.log");
      throw std::runtime_error("PostgreSQL does not start: " +
                               std::string(std::istreambuf_iterator<char>(log), {}));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void PostgresServer::stop(const std::string& how) {
  shell(control("stop -m " + how));
}

std::string PostgresServer::new_database() {
  const std::string name = "t" + std::to_string(++databases_);
  run(uri("postgres"), "CREATE DATABASE " + name);
  return uri(name);
}

std::string PostgresServer::uri(const std::string& database, const std::string& user) const {
  return "postgresql://" + user + "@/" + database + "?host=" + path_.string();
}

std::string PostgresServer::run(const std::string& uri, const std::string& sql) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(uri.c_str()), PQfinish);
  PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()),
                                                             PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw std::runtime_error(sql + ": " + PQerrorMessage(connection.get()));
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

void PostgresServer::set_logins(const std::string& lines) {
  const fs::path file = path_ / "data/pg_hba.conf";
  std::ofstream(file) << lines << "\nlocal all all trust\n";
  run(uri("postgres"), "SELECT pg_reload_conf()");
}

void PrintTo(StoreKind kind, std::ostream* out) {
  *out << (kind == StoreKind::file ? "file" : "server");
}

std::vector<StoreKind> store_kinds() {
  if (PostgresServer::is_installed()) return {StoreKind::file, StoreKind::server};
  return {StoreKind::file};
}

fs::path new_store(StoreKind kind, const TemporaryFolder& folder, const std::string& name) {
  if (kind == StoreKind::file) return folder / name;
  return PostgresServer::shared().new_database() + "&files=" + (folder / "").string();
}

std::string change_store(const fs::path& store, const std::string& sql) {
  if (is_on_server(store)) return PostgresServer::run(server_uri(store), sql);
  SQLite::Database db(store.string(), SQLite::OPEN_READWRITE, 10000);
  if (sql.starts_with("SELECT")) return db.execAndGet(sql).getString();
  db.exec(sql);
  return "";
}

}  // namespace petlab::results::sample
