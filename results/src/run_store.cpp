#include "petlab/results/run_store.hpp"

#include "queries.hpp"
#include "run_checks.hpp"
#include "run_reader.hpp"
#include "statements.hpp"
#include "store.hpp"
#include "store_file.hpp"
#include "store_server.hpp"

#include <iostream>
#include <optional>
#include <utility>

namespace petlab::results {
namespace {

// Tells the user by default: a call that hangs without a word looks like a program that does.
void say_on_stderr(const std::string& text) {
  std::cerr << "petlab: " << text << std::endl;
}

}  // namespace

struct RunStore::Impl {
  std::filesystem::path path;
  sql::Database db;
  // The file or the database that was opened. None other may take its place.
  StoreFileId id = id_now().value_or(StoreFileId{});
  // What runs are checked against, when they are written and when they are read.
  mutable KnownSplits splits{db};
  Patience patience{std::chrono::minutes(5), say_on_stderr};
  // By what a server knows the writes of this object; named with the first.
  std::string writer = {};
  std::int64_t writes = 0;

  [[nodiscard]] std::optional<StoreFileId> id_now() const {
    return db.engine() == sql::Engine::postgresql ? server_store_id(db) : file_id_of(path);
  }

  // A connection leads to one database as long as it lasts.
  void check_in_place() const {
    if (db.engine() == sql::Engine::postgresql) return;
    const std::optional<StoreFileId> now = id_now();
    if (now == id) return;
    throw store_error(path,
                      std::string("it is not the file any more that was opened at first, it was ") +
                          (now ? "replaced" : "removed or moved") +
                          " meanwhile; nothing more is written, and checkpoints of runs stay");
  }

  // `work` with a new connection where the server went away, until there is one or patience ends.
  // All that was not committed is undone then, so that it is done from its beginning.
  template <class Work>
  auto with_patience(Work&& work) const {
    return retried(path, patience, [&] {
      if (db.connection().is_lost()) {
        db.connection().reconnect();
        if (id_now() != id)
          throw store_error(path,
                            "it is not the store any more that was opened at first: it was "
                            "replaced meanwhile; nothing more is written, and checkpoints of runs "
                            "stay");
      }
      return work();
    });
  }

  // The whole of `work` is one write transaction: committed if it returns true, else rolled back.
  template <class Work>
  void write(const std::string& doing, Work&& work,
             sql::Durability durability = sql::Durability::synced) {
    check_in_place();
    with_store_errors(path, doing, [&] {
      bool is_unknown = false;  // whether an attempt's commit happened
      with_patience([&] {
        sql::Transaction transaction(db, sql::Access::write, durability);
        if (is_unknown && wrote_last(db, writer, writes)) return;
        if (!work()) return;
        if (db.engine() == sql::Engine::postgresql) {
          if (writer.empty()) writer = new_writer(db);
          mark_write(db, writer, ++writes);
          is_unknown = true;
        }
        transaction.commit();
      });
    });
    check_in_place();  // SQLite writes to a file that was removed without a word
  }

  // The whole of `work` sees one state of the store.
  template <class Work>
  auto read(const std::string& doing, Work&& work) const {
    return with_store_errors(path, doing, [&] {
      return with_patience([&] {
        const sql::Transaction transaction(db);
        return work();
      });
    });
  }
};

RunStore::RunStore(const std::filesystem::path& path, OpenMode mode,
                   std::chrono::milliseconds busy_timeout)
    : impl_(new Impl{path, open_store(path, mode, busy_timeout)}) {}

RunStore RunStore::reopen(const std::filesystem::path& path, OpenMode mode,
                          const Patience& patience) {
  constexpr auto kBusyTimeout = std::chrono::seconds(30);
  auto impl = with_store_errors(path, "open it", [&] {
    return retried(path, patience, [&] {
      return std::unique_ptr<Impl>(new Impl{path, open_unless_away(path, mode, kBusyTimeout)});
    });
  });
  impl->patience = patience;
  return RunStore(std::move(impl));
}

RunStore::RunStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunStore::~RunStore() = default;
RunStore::RunStore(RunStore&&) noexcept = default;
RunStore& RunStore::operator=(RunStore&&) noexcept = default;

int RunStore::schema_version() {
  return static_cast<int>(migrations().size());
}

const std::filesystem::path& RunStore::path() const {
  return impl_->path;
}

StoreFileId RunStore::file_id() const {
  return impl_->id;
}

void RunStore::check_in_place() const {
  impl_->check_in_place();
}

void RunStore::set_patience(Patience patience) {
  impl_->patience = std::move(patience);
}

std::string RunStore::utc_in(std::chrono::milliseconds from_now) const {
  return impl_->read("ask for the time", [&] { return results::utc_in(impl_->db, from_now); });
}

std::optional<std::string> RunStore::set_study(const StudyRecord& study) {
  check_study(impl_->path, study);
  std::optional<std::string> earlier;
  impl_->write("store the plan of study '" + study.name + "'", [&] {
    earlier = keep_replaced_plan(impl_->db, study);
    write_study(impl_->db, study);
    return true;
  });
  return earlier;
}

void RunStore::register_split(const SplitRecord& split) {
  check_split(impl_->path, split);
  impl_->write("store split " + quoted_hash(split.hash),
               [&] { return add_split(impl_->db, impl_->path, split); });
}

bool RunStore::has_done(const std::string& hash) const {
  return impl_->read("look for run " + quoted_hash(hash), [&] { return is_done(impl_->db, hash); });
}

Claim RunStore::claim(const std::string& identity, const std::string& owner,
                      std::chrono::milliseconds ttl) {
  check_lease(impl_->path, identity, owner, ttl);
  Claim claim = Claim::busy;
  impl_->write(
      "take run " + quoted_hash(identity),
      [&] {
        claim = claim_run(impl_->db, identity, owner, ttl);
        return claim == Claim::taken;
      },
      sql::Durability::relaxed);
  return claim;
}

bool RunStore::renew(const std::vector<std::string>& identities, const std::string& owner,
                     std::chrono::milliseconds ttl) {
  for (const std::string& identity : identities)
    check_lease(impl_->path, identity, owner, ttl);
  bool all_held = true;
  impl_->write(
      "extend the leases of '" + owner + "'",
      [&] {
        all_held = true;
        for (const std::string& identity : identities)
          all_held = renew_lease(impl_->db, identity, owner, ttl) && all_held;
        return true;
      },
      sql::Durability::relaxed);
  return all_held;
}

void RunStore::release(const std::string& identity, const std::string& owner) {
  impl_->write(
      "give back run " + quoted_hash(identity),
      [&] {
        end_lease(impl_->db, identity, owner);
        return true;
      },
      sql::Durability::relaxed);
}

std::vector<Lease> RunStore::leases() const {
  return impl_->read("list the leases", [&] { return read_leases(impl_->db); });
}

RecordOutcome RunStore::record(const RunRecord& run) {
  check_run(impl_->path, run);
  RecordOutcome outcome = RecordOutcome::already_done;
  impl_->write("store run " + quoted_hash(run.identity.hash), [&] {
    if (is_done(impl_->db, run.identity.hash)) return false;
    if (!run.split_hash.empty()) {
      const SplitRecord* split = impl_->splits.find(run.split_hash, run.dataset_hash);
      if (split == nullptr) {
        throw store_error(impl_->path, "run of '" + run.method + "' names split " +
                                           quoted_hash(run.split_hash) +
                                           ", which is not registered");
      }
      if (run.status == RunStatus::done) check_against_split(impl_->path, run, *split);
    }
    const std::int64_t earlier =
        find_id(impl_->db, "SELECT attempts FROM runs WHERE identity = ?", run.identity.hash)
            .value_or(0);
    execute(impl_->db, "DELETE FROM runs WHERE identity = ?", run.identity.hash);
    write_run(impl_->db, run, earlier + 1);
    if (run.status == RunStatus::done) end_lease(impl_->db, run.identity.hash);
    outcome = RecordOutcome::stored;
    return true;
  });
  return outcome;
}

std::int64_t RunStore::attempts(const std::string& hash) const {
  return impl_->read("look for run " + quoted_hash(hash), [&] {
    return find_id(impl_->db, "SELECT attempts FROM runs WHERE identity = ?", hash).value_or(0);
  });
}

std::optional<RunRecord> RunStore::load(const std::string& hash, LoadDetail detail) const {
  return impl_->read("read run " + quoted_hash(hash), [&] {
    return CheckedRunReader(impl_->db, impl_->path, detail, impl_->splits).read(hash);
  });
}

void RunStore::visit_runs(const std::string& study, LoadDetail detail,
                          const RunVisitor& visit) const {
  // Not with patience, since what was visited would be visited once more; but a server that was
  // away before is asked for until it is there.
  if (impl_->db.engine() == sql::Engine::postgresql) (void)utc_in({});
  with_store_errors(impl_->path, "read the runs of study '" + study + "'", [&] {
    const sql::Transaction one_state(impl_->db);
    CheckedRunReader reader(impl_->db, impl_->path, detail, impl_->splits);
    for (const StudyRun& run : read_study_runs(impl_->db, impl_->path, study))
      visit(run, run.status ? reader.read(run.plan.hash) : std::nullopt);
  });
}

std::vector<std::string> RunStore::studies() const {
  return impl_->read("list the studies", [&] { return read_study_names(impl_->db); });
}

std::optional<StudyRecord> RunStore::study(const std::string& name) const {
  return impl_->read("read study '" + name + "'", [&] { return read_study(impl_->db, name); });
}

std::vector<StudyRun> RunStore::runs(const std::string& study) const {
  return impl_->read("read the runs of study '" + study + "'",
                     [&] { return read_study_runs(impl_->db, impl_->path, study); });
}

std::optional<SplitRecord> RunStore::split(const std::string& hash,
                                           const std::string& dataset) const {
  return impl_->read("read split " + quoted_hash(hash),
                     [&] { return read_split(impl_->db, hash, dataset); });
}

void RunStore::add_verification(const VerificationRecord& verification) {
  impl_->write("store a repeat of run " + quoted_hash(verification.identity), [&] {
    write_verification(impl_->db, verification);
    return true;
  });
}

std::vector<VerificationRecord> RunStore::verifications(const std::string& identity) const {
  return impl_->read("list the repeats of a run",
                     [&] { return read_verifications(impl_->db, identity); });
}

std::vector<std::string> RunStore::evaluations() const {
  return impl_->read("read the evaluations", [&] { return read_evaluations(impl_->db); });
}

std::vector<std::string> RunStore::find_runs(const std::string& prefix) const {
  return impl_->read("find a run", [&] { return read_identities(impl_->db, prefix); });
}

}  // namespace petlab::results
