#include "petlab/results/check.hpp"

#include "petlab/results/store_address.hpp"
#include "queries.hpp"
#include "run_checks.hpp"
#include "run_reader.hpp"
#include "schema_check.hpp"
#include "statements.hpp"
#include "store.hpp"

namespace petlab::results {
namespace {

constexpr std::size_t kMostProblems = 100;

class Checking {
 public:
  Checking(const sql::Database& db, const std::filesystem::path& path) : db_(db), path_(path) {}

  StoreCheck operator()() {
    const auto tell = [&](const std::string& problem) { add(store_error(path_, problem).what()); };
    attempt([&] { check_engine(db_, tell); });
    attempt([&] { check_schema(db_, tell); });
    for (const auto& [hash, dataset] : read_split_keys(db_))
      attempt([&] {
        ++result_.splits;
        check_split(path_, read_split(db_, hash, dataset).value());
      });
    for (const std::string& name : read_study_names(db_))
      attempt([&] {
        ++result_.studies;
        check_study(path_, read_study(db_, name).value());
        (void)read_study_runs(db_, path_, name);
      });
    KnownSplits splits(db_);
    CheckedRunReader reader(db_, path_, LoadDetail::everything, splits);
    for (const std::string& identity : texts("SELECT identity FROM runs ORDER BY run_id"))
      attempt([&] {
        ++result_.runs;
        const std::optional<RunRecord> run = reader.read(identity);
        for (const TaskResult& task : run->tasks)
          result_.predictions += static_cast<std::int64_t>(task.predictions.size());
        check_verifications(*run);
      });
    return std::move(result_);
  }

 private:
  void add(const std::string& problem) {
    if (result_.problems.size() < kMostProblems) result_.problems.push_back(problem);
  }

  template <class Work>
  void attempt(Work&& work) {
    try {
      work();
    } catch (const base::Error& error) {
      add(error.what());
    } catch (const sql::Exception& error) {
      add(store_error(path_, error.what()).what());
    }
  }

  std::vector<std::string> texts(const std::string& sql) const {
    std::vector<std::string> result;
    sql::Statement row(db_, sql);
    while (row.step())
      result.push_back(row.column(0).text());
    return result;
  }

  void check_verifications(const RunRecord& run) {
    for (const VerificationRecord& repeat : read_verifications(db_, run.identity.hash))
      if (run.status != RunStatus::done || repeat.changed_predictions < 0 ||
          repeat.changed_predictions > repeat.predictions)
        add(store_error(path_, "a repeat of run " + quoted_hash(run.identity.hash) +
                                   " cannot be: the run is not finished, or more predictions "
                                   "changed than there are")
                .what());
  }

  const sql::Database& db_;
  const std::filesystem::path& path_;
  StoreCheck result_;
};

}  // namespace

StoreCheck check_store(const std::filesystem::path& store) {
  // On a server, what petlab makes is made beside it to compare with.
  const sql::Database db =
      open_store(store, is_on_server(store) ? OpenMode::read_write : OpenMode::read_only);
  return with_store_errors(store, "check it", [&] {
    const sql::Transaction one_state(
        db, db.engine() == sql::Engine::postgresql ? sql::Access::write : sql::Access::read);
    return Checking(db, store)();
  });
}

}  // namespace petlab::results
