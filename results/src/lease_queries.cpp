#include "queries.hpp"
#include "statements.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace petlab::results {
namespace {

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

std::string utc_in(const sql::Database& db, std::chrono::milliseconds from_now) {
  return utc_text(db.now() + from_now.count());
}

Claim claim_run(const sql::Database& db, const std::string& identity, const std::string& owner,
                std::chrono::milliseconds ttl) {
  if (is_done(db, identity)) return Claim::already_done;
  const std::int64_t now = db.now();
  sql::Statement row = query(db, "SELECT owner, expires FROM leases WHERE identity = ?", identity);
  if (row.step()) {
    if (row.column(0).text() == owner) {
      renew_lease(db, identity, owner, ttl);
      return Claim::taken;
    }
    if (row.column(1).integer() > now) return Claim::busy;
  }
  execute(db,
          "INSERT INTO leases (identity, owner, taken, expires) VALUES (?, ?, ?, ?) "
          "ON CONFLICT (identity) DO UPDATE "
          "SET owner = excluded.owner, taken = excluded.taken, expires = excluded.expires",
          identity, owner, now, now + ttl.count());
  return Claim::taken;
}

bool renew_lease(const sql::Database& db, const std::string& identity, const std::string& owner,
                 std::chrono::milliseconds ttl) {
  return query(db, "UPDATE leases SET expires = ? WHERE identity = ? AND owner = ?",
               db.now() + ttl.count(), identity, owner)
             .run() == 1;
}

void end_lease(const sql::Database& db, const std::string& identity, const std::string& owner) {
  execute(db, "DELETE FROM leases WHERE identity = ? AND owner = ?", identity, owner);
}

void end_lease(const sql::Database& db, const std::string& identity) {
  execute(db, "DELETE FROM leases WHERE identity = ?", identity);
}

std::vector<Lease> read_leases(const sql::Database& db) {
  std::vector<Lease> leases;
  sql::Statement row(db, "SELECT identity, owner, taken, expires FROM leases ORDER BY identity");
  while (row.step()) {
    leases.push_back({row.column(0).text(), row.column(1).text(), utc_text(row.column(2).integer()),
                      utc_text(row.column(3).integer())});
  }
  return leases;
}

}  // namespace petlab::results
