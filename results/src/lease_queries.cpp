#include "petlab/results/identity.hpp"
#include "queries.hpp"
#include "statements.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace petlab::results {
namespace {

std::int64_t now_in_milliseconds() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

std::string utc_text(std::int64_t milliseconds) {
  const std::time_t seconds = milliseconds / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> day_and_time{};
  std::strftime(day_and_time.data(), day_and_time.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(milliseconds % 1000));
  return std::string(day_and_time.data()) + fraction.data();
}

}  // namespace

std::string utc_in(std::chrono::milliseconds from_now) {
  return utc_text(now_in_milliseconds() + from_now.count());
}

Claim claim_run(SQLite::Database& db, const std::string& identity, const std::string& owner,
                std::chrono::milliseconds ttl) {
  if (is_done(db, identity)) return Claim::already_done;
  const std::int64_t now = now_in_milliseconds();
  SQLite::Statement row =
      query(db, "SELECT owner, expires FROM leases WHERE identity = ?", identity);
  if (row.executeStep()) {
    if (row.getColumn(0).getString() == owner) {
      renew_lease(db, identity, owner, ttl);
      return Claim::taken;
    }
    if (row.getColumn(1).getInt64() > now) return Claim::busy;
  }
  execute(db, "INSERT OR REPLACE INTO leases (identity, owner, taken, expires) VALUES (?, ?, ?, ?)",
          identity, owner, now, now + ttl.count());
  return Claim::taken;
}

bool renew_lease(SQLite::Database& db, const std::string& identity, const std::string& owner,
                 std::chrono::milliseconds ttl) {
  execute(db, "UPDATE leases SET expires = ? WHERE identity = ? AND owner = ?",
          now_in_milliseconds() + ttl.count(), identity, owner);
  return db.getChanges() == 1;
}

void end_lease(SQLite::Database& db, const std::string& identity, const std::string& owner) {
  execute(db, "DELETE FROM leases WHERE identity = ? AND owner = ?", identity, owner);
}

void end_lease(SQLite::Database& db, const std::string& identity) {
  execute(db, "DELETE FROM leases WHERE identity = ?", identity);
}

std::vector<Lease> read_leases(const SQLite::Database& db) {
  std::vector<Lease> leases;
  SQLite::Statement row(db, "SELECT identity, owner, taken, expires FROM leases ORDER BY identity");
  while (row.executeStep()) {
    leases.push_back({row.getColumn(0).getString(), row.getColumn(1).getString(),
                      utc_text(row.getColumn(2).getInt64()),
                      utc_text(row.getColumn(3).getInt64())});
  }
  return leases;
}

}  // namespace petlab::results
