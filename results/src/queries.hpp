#pragma once

#include "petlab/results/run_store.hpp"
#include "sql/database.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The store's SQL, one file a subject. All functions work inside the caller's transaction and let
/// sql::Exception through.
namespace petlab::results {

// split_queries.cpp
// A split is known by its hash and its data set's; with "" for the latter the first of the hash.
std::optional<std::int64_t> find_split(const sql::Database& db, const std::string& hash,
                                       const std::string& dataset);
std::optional<SplitRecord> read_split(const sql::Database& db, const std::string& hash,
                                      const std::string& dataset);
/// Hash and data set's hash of every split, in the order in which they were stored.
std::vector<std::pair<std::string, std::string>> read_split_keys(const sql::Database& db);
/// RunStore::register_split(): true if the split was added, false if it was there. `path` is for
/// the sentence of a refusal.
bool add_split(const sql::Database& db, const std::filesystem::path& path,
               const SplitRecord& split);

// study_queries.cpp
void write_study(const sql::Database& db, const StudyRecord& study);
/// Renames the stored plan of this name where `study` would leave finished runs of it in no plan
/// (study_name.hpp); returns its new name.
std::optional<std::string> keep_replaced_plan(const sql::Database& db, const StudyRecord& study);
std::vector<std::string> read_study_names(const sql::Database& db);
std::optional<StudyRecord> read_study(const sql::Database& db, const std::string& name);
/// Throws Error(store), naming `path`, where a planned run is one of another method, sharing,
/// grouping or seed than the plan says.
std::vector<StudyRun> read_study_runs(const sql::Database& db, const std::filesystem::path& path,
                                      const std::string& study);

// run_writer.cpp, run_reader.cpp (which has RunReader too)
void write_run(const sql::Database& db, const RunRecord& run, std::int64_t attempts);
bool is_done(const sql::Database& db, const std::string& hash);

// verification_queries.cpp
void write_verification(const sql::Database& db, const VerificationRecord& verification);
std::vector<VerificationRecord> read_verifications(const sql::Database& db,
                                                   const std::string& identity);
std::vector<std::string> read_evaluations(const sql::Database& db);
std::vector<std::string> read_identities(const sql::Database& db, const std::string& prefix);

// lease_queries.cpp. They read the store's clock themselves: the transaction may have waited for
// another writer before it began.
std::string utc_in(const sql::Database& db, std::chrono::milliseconds from_now);
Claim claim_run(const sql::Database& db, const std::string& identity, const std::string& owner,
                std::chrono::milliseconds ttl);
bool renew_lease(const sql::Database& db, const std::string& identity, const std::string& owner,
                 std::chrono::milliseconds ttl);
void end_lease(const sql::Database& db, const std::string& identity, const std::string& owner);
void end_lease(const sql::Database& db, const std::string& identity);
std::vector<Lease> read_leases(const sql::Database& db);

}  // namespace petlab::results
