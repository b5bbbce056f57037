#pragma once

#include "petlab/results/record.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace petlab::results {

/// How to open a store. `create` makes a new file where there is none; the others want one.
enum class OpenMode { create, read_write, read_only };

/// What record() did.
enum class RecordOutcome {
  stored,        // the run is in the store now
  already_done,  // a finished run of this identity was there; it stays as it was
};

enum class LoadDetail { without_predictions, everything };

/// What claim() found.
enum class Claim {
  taken,         // the run is the caller's until the lease expires
  busy,          // another living worker holds it
  already_done,  // the store has the finished run
};

/// Who works on which run.
struct Lease {
  std::string identity;
  std::string owner;
  std::string taken;    // UTC, e.g. "2026-01-31T12:00:00.250Z"
  std::string expires;  // after this moment another worker may take the run over
};

/// Which file a path led to, or which database a URI: one that takes its place is another one.
struct StoreFileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const StoreFileId&, const StoreFileId&) = default;
};

/// How long calls go on trying when a server went away under them, and who is told of it: once that
/// it is away, once that it is back.
struct Patience {
  std::chrono::milliseconds limit;
  std::function<void(const std::string&)> say;
};

/// The store: one SQLite file (WAL, foreign keys on) with studies, splits and runs, or a database
/// of a PostgreSQL server with the same (store_address.hpp).
///
/// Every writing call is one transaction: it happens as a whole or not at all, whatever ends the
/// process or the server. Several processes may use one file, processes of any hosts one server; a
/// writer waits for another up to the time-out. When a server goes away, calls wait until it is
/// back and then begin anew (set_patience()); whether a commit had happened is asked, not guessed.
/// An object is for one thread at a time. Schema: results/README.md.
///
/// What is read is what was written: load() and visit_runs() refuse a run that contradicts itself
/// as record() does, its predictions counted once more against the labels of its split, so that
/// numbers which somebody changed in the file are not reported. check.hpp looks at all of a file.
///
/// All functions throw petlab::base::Error(store) that names the file or the URI.
class RunStore {
 public:
  /// Opens the file, checks that it is a petlab store, and brings an older schema up to date; in
  /// read_only mode that happens in a temporary copy, which is then what is read, as it does where
  /// SQLite cannot read the file in its place (a read-only medium, another user's folder). A store
  /// written by a newer petlab is refused, and so is what is no regular file. On a server an older
  /// schema cannot be copied: in read_only mode it is refused. A server that cannot be reached is
  /// not waited for. Throws Error(config) for an address that cannot be one.
  explicit RunStore(const std::filesystem::path& path, OpenMode mode = OpenMode::create,
                    std::chrono::milliseconds busy_timeout = std::chrono::seconds(30));
  ~RunStore();
  RunStore(RunStore&&) noexcept;
  RunStore& operator=(RunStore&&) noexcept;

  /// Opens a store that was there a moment ago: waits for its server, from the beginning.
  static RunStore reopen(const std::filesystem::path& path, OpenMode mode,
                         const Patience& patience);

  /// Otherwise 5 minutes, and standard error is told.
  void set_patience(Patience patience);

  /// The schema version that this build reads and writes.
  static int schema_version();

  const std::filesystem::path& path() const;

  /// The file or the database that was opened.
  StoreFileId file_id() const;

  /// Throws when the path leads to another file than the one that was opened, or to none: what is
  /// written from then on would be lost. Every writing call asks this itself, before and after; of
  /// a server, whenever it connects again.
  void check_in_place() const;

  /// The moment `from_now` by the clock that leases go by, a server's or this host's: UTC, e.g.
  /// "2026-01-31T12:00:00.250Z".
  std::string utc_in(std::chrono::milliseconds from_now) const;

  /// Stores the plan of a study with its searches; a study of this name that is there already gets
  /// the new ones. Runs are never touched, and none disappears from view: where finished runs of
  /// the plan that is there would be in no plan any more, it is kept under another name
  /// (study_name.hpp), which is returned. Refuses an empty name, a hash that is not 64 hex digits,
  /// a row index with two labels, a label with two row indices a (row, seed) that occurs twice, and
  /// a search of a row that is not planned.
  std::optional<std::string> set_study(const StudyRecord& study);

  /// Stores a split with its test images, once: a split with this hash of the same data set that is
  /// there already is left alone if it has the same tasks and images, else it is an error.
  void register_split(const SplitRecord& split);

  /// True if the store holds a finished run of this identity.
  bool has_done(const std::string& hash) const;

  /// Takes the run of this identity for `owner`, a text that no other worker uses (host name,
  /// process id, start). A lease that expired is taken over from another owner; one that the
  /// caller holds already is extended. A failed run can be taken again. Moments are those of
  /// utc_in(). `ttl` is at least 1 ms.
  /// Leases are not synced to disk one by one: a power cut may forget the latest, and with them
  /// only who was working.
  Claim claim(const std::string& identity, const std::string& owner, std::chrono::milliseconds ttl);

  /// Extends leases to `ttl` from now; false when one of them is no longer `owner`'s (taken over,
  /// released, or its run is recorded as done). The others are extended all the same.
  bool renew(const std::vector<std::string>& identities, const std::string& owner,
             std::chrono::milliseconds ttl);

  /// Gives the run back, if `owner` still holds it.
  void release(const std::string& identity, const std::string& owner);

  /// All leases, also expired ones that nobody has taken over, by identity.
  std::vector<Lease> leases() const;

  /// Stores a run, and ends the lease on it if it is done. A failed run of the same identity is
  /// replaced, a finished one never.
  /// Refuses a record that contradicts itself: identity hash that is not the one of its parts,
  /// unknown split, a finished run that lacks a task of its split, a number of predictions that is
  /// not the number of test images, an n_correct that is not what the predictions and the split's
  /// labels give, loss or accuracy that is not finite, a failed run without a reason.
  RecordOutcome record(const RunRecord& run);

  /// How often the run of this identity was recorded: failed attempts and the one that worked; 0
  /// where it never was.
  std::int64_t attempts(const std::string& hash) const;

  /// The run of this identity, finished or failed; nothing where there is none.
  std::optional<RunRecord> load(const std::string& hash,
                                LoadDetail detail = LoadDetail::everything) const;

  /// Names of all studies, sorted.
  std::vector<std::string> studies() const;

  /// The study with its plan in row order, then seed order; nothing where there is none.
  std::optional<StudyRecord> study(const std::string& name) const;

  /// The planned runs of a study with their state, in row order, then seed order. Empty for an
  /// unknown study.
  std::vector<StudyRun> runs(const std::string& study) const;

  /// Called with a planned run and its record; nothing where it has neither finished nor failed.
  using RunVisitor = std::function<void(const StudyRun&, std::optional<RunRecord>)>;

  /// The planned runs of a study with their records, in row order, then seed order, one at a time:
  /// much faster than runs() and a load() of each, all of one state of the file, and as many as
  /// there may be never stand in memory together. `visit` must not use the store.
  void visit_runs(const std::string& study, LoadDetail detail, const RunVisitor& visit) const;

  /// The split of this hash and of the data set with that one, or the first of any data set;
  /// nothing where there is none.
  std::optional<SplitRecord> split(const std::string& hash, const std::string& dataset = "") const;

  /// Keeps what a repeat of a finished run gave; a run may have several. Refuses one of a run that
  /// is not finished.
  void add_verification(const VerificationRecord& verification);

  /// The repeats of a run, in the order in which they were added.
  std::vector<VerificationRecord> verifications(const std::string& identity) const;

  /// Identities of the finished evaluations of stored adapters (RunRecord::parent), in the order in
  /// which they were finished.
  std::vector<std::string> evaluations() const;

  /// Identities in the store that begin with `prefix`, sorted.
  std::vector<std::string> find_runs(const std::string& prefix) const;

 private:
  struct Impl;
  explicit RunStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace petlab::results
