#include "petlab/results/check.hpp"

#include "queries.hpp"
#include "run_checks.hpp"
#include "run_reader.hpp"
#include "statements.hpp"
#include "store_file.hpp"

namespace petlab::results {
namespace {

constexpr std::size_t kMostProblems = 100;

class Checking {
 public:
  Checking(const SQLite::Database& db, const std::filesystem::path& path) : db_(db), path_(path) {}

  StoreCheck operator()() {
    check_file();
    for (const char* type : {"table", "view", "trigger", "index"})
      check_schema(type);
    for (const auto& [hash, dataset] : read_split_keys(db_))
      attempt([&] {
        ++result_.splits;
        check_split(path_, read_split(db_, hash, dataset).value());
      });
    for (const std::string& name : read_study_names(db_))
      attempt([&] {
        ++result_.studies;
        check_study(path_, read_study(db_, name).value());
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
    } catch (const SQLite::Exception& error) {
      add(store_error(path_, error.what()).what());
    }
  }

  std::vector<std::string> texts(const std::string& sql) const {
    std::vector<std::string> result;
    SQLite::Statement row(db_, sql);
    while (row.executeStep())
      result.push_back(row.getColumn(0).getString());
    return result;
  }

  void check_file() {
    attempt([&] {
      for (const std::string& said : texts("PRAGMA integrity_check"))
        if (said != "ok") add(store_error(path_, "SQLite finds it damaged: " + said).what());
    });
    attempt([&] {
      SQLite::Statement row(db_, "PRAGMA foreign_key_check");
      while (row.executeStep())
        add(store_error(path_, "a row of its table '" + row.getColumn(0).getString() +
                                   "' names one of '" + row.getColumn(2).getString() +
                                   "' that is not there")
                .what());
    });
  }

  // Tables and views that somebody added change nothing; a trigger would.
  void check_schema(const std::string& type) {
    std::map<std::string, std::string> found;
    SQLite::Statement row = query(db_,
                                  "SELECT name, sql FROM sqlite_master "
                                  "WHERE type = ? AND sql IS NOT NULL",
                                  type);
    while (row.executeStep())
      found.emplace(row.getColumn(0).getString(), row.getColumn(1).getString());
    const auto own = own_schema(type);
    for (const auto& [name, sql] : own) {
      const auto there = found.find(name);
      if (there == found.end() || there->second != sql)
        add(store_error(path_,
                        "its " + type + " '" + name + "' is " +
                            (there == found.end() ? "not there" : "not the one that petlab made"))
                .what());
    }
    if (type != "trigger") return;
    for (const auto& [name, sql] : found)
      if (own.count(name) == 0)
        add(store_error(path_, "it has a trigger '" + name + "' that petlab did not make").what());
  }

  void check_verifications(const RunRecord& run) {
    for (const VerificationRecord& repeat : read_verifications(db_, run.identity.hash))
      if (run.status != RunStatus::done || repeat.changed_predictions < 0 ||
          repeat.changed_predictions > repeat.predictions)
        add(store_error(path_, "a repeat of run " + short_hash(run.identity.hash) +
                                   " cannot be: the run is not finished, or more predictions "
                                   "changed than there are")
                .what());
  }

  const SQLite::Database& db_;
  const std::filesystem::path& path_;
  StoreCheck result_;
};

}  // namespace

StoreCheck check_store(const std::filesystem::path& store) {
  SQLite::Database db = open_store_file(store, OpenMode::read_only, std::chrono::seconds(30));
  return with_store_errors(store, "check it", [&] {
    const SQLite::Transaction one_state(db);
    return Checking(db, store)();
  });
}

}  // namespace petlab::results
