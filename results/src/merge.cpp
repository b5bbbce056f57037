#include "petlab/results/merge.hpp"

#include "merge_studies.hpp"
#include "petlab/base/error.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/store_address.hpp"
#include "petlab/results/verification.hpp"
#include "queries.hpp"
#include "run_checks.hpp"
#include "run_reader.hpp"
#include "statements.hpp"
#include "store.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace petlab::results {
namespace {

constexpr auto kBusyTimeout = std::chrono::seconds(30);

// What decides which of two runs of one identity stays.
struct RunState {
  bool done = false;
  std::int64_t attempts = 0;
  std::string finished;

  bool wins_over(const RunState& other) const {
    if (done || other.done) return done && !other.done;
    return std::tie(attempts, finished) > std::tie(other.attempts, other.finished);
  }
};

std::optional<RunState> run_state(const sql::Database& db, const std::string& identity) {
  sql::Statement row =
      query(db, "SELECT status, attempts, finished FROM runs WHERE identity = ?", identity);
  if (!row.step()) return std::nullopt;
  return RunState{row.column(0).text() == "done", row.column(1).integer(), row.column(2).text()};
}

std::vector<std::string> texts_of(const sql::Database& db, const char* sql) {
  std::vector<std::string> texts;
  sql::Statement row(db, sql);
  while (row.step())
    texts.push_back(row.column(0).text());
  return texts;
}

// Takes one file after the other into the open transaction of `into`.
class Merger {
 public:
  Merger(const sql::Database& into, const std::filesystem::path& into_path,
         const MergeOptions& options)
      : into_(into), into_path_(into_path), options_(options) {}

  void take(const sql::Database& from, const std::filesystem::path& from_path) {
    for (const auto& [hash, dataset] : read_split_keys(from))
      take_split(read_split(from, hash, dataset).value(), from_path);
    RunReader reader(from, LoadDetail::everything);
    for (const std::string& identity : texts_of(from, "SELECT identity FROM runs ORDER BY run_id"))
      take_run(from, reader, identity, from_path);
    const StudyMerge studies = merge_studies(into_, into_path_, from, from_path, options_);
    report.studies_added += studies.added;
    for (const std::string& sentence : studies.joined)
      report.joined.push_back(sentence);
    for (const std::string& sentence : studies.renamed)
      report.renamed.push_back(sentence);
    for (const std::string& sentence : studies.differences)
      report.differences.push_back(sentence);
  }

  MergeReport report;

 private:
  void take_split(const SplitRecord& split, const std::filesystem::path& from_path) {
    check_split(from_path, split);
    if (add_split(into_, into_path_, split)) ++report.splits_added;
    splits_.insert_or_assign({split.hash, split.dataset.hash}, split);
  }

  void take_run(const sql::Database& from, RunReader& reader, const std::string& identity,
                const std::filesystem::path& from_path) {
    const RunState theirs = run_state(from, identity).value();
    const std::optional<RunState> mine = run_state(into_, identity);
    if (mine && !theirs.wins_over(*mine)) {
      std::string difference;
      if (mine->done && theirs.done) difference = difference_of(reader, identity);
      if (difference.empty()) {
        if (mine->done && theirs.done) {
          take_verifications(from, identity);
          complete_adapters(reader, identity, from_path);
        }
        ++report.runs_kept;
      } else {
        report.differences.push_back(difference + " in '" + shown_address(from_path) +
                                     "'; that of '" + shown_address(into_path_) + "' stays");
      }
      return;
    }
    const RunRecord run = reader.read(identity).value();
    check_run(from_path, run);
    if (run.status == RunStatus::done) {
      check_against_split(from_path, run, splits_.at({run.split_hash, run.dataset_hash}));
      end_lease(into_, identity);
      take_adapters(run, from_path);
    }
    if (mine) execute(into_, "DELETE FROM runs WHERE identity = ?", identity);
    write_run(into_, run, theirs.attempts);
    take_verifications(from, identity);
    ++(mine ? report.runs_replaced : report.runs_added);
  }

  // Before the run's row, so that a row never names what is not there yet.
  void take_adapters(const RunRecord& run, const std::filesystem::path& from_path) {
    try {
      if (carry_adapters(from_path, into_path_, run)) ++report.adapters_copied;
    } catch (const base::Error& error) {
      report.without_adapters.emplace_back(error.what());
    }
  }

  // Of a run that both have: only where the file here is missing and theirs is the same.
  void complete_adapters(RunReader& reader, const std::string& identity,
                         const std::filesystem::path& from_path) {
    const RunRecord mine = RunReader(into_, LoadDetail::without_predictions).read(identity).value();
    const RunRecord theirs = reader.read(identity).value();
    if (mine.adapters_hash != theirs.adapters_hash || adapter_trouble(into_path_, mine).empty() ||
        !adapter_trouble(from_path, mine).empty())
      return;
    take_adapters(mine, from_path);
  }

  // How two finished runs of one identity differ, as the beginning of a sentence; "" if they do
  // not. Costs and times of two machines always differ and say nothing.
  std::string difference_of(RunReader& reader, const std::string& identity) const {
    const RunRecord mine = RunReader(into_, LoadDetail::everything).read(identity).value();
    const RunRecord theirs = reader.read(identity).value();
    const std::string run = "run " + quoted_hash(identity) + " ('" + mine.method + "', " +
                            mine.sharing + ", seed " + std::to_string(mine.seed) + ") has ";
    if (mine.split_hash != theirs.split_hash || mine.dataset_hash != theirs.dataset_hash)
      return run + "another split";
    const VerificationRecord compared = compare_repeat(mine, theirs);
    if (compared.level == "bit-equal") return "";
    const bool same_weights = mine.trained_hash == theirs.trained_hash;
    if (compared.changed_predictions > 0)
      return run + (same_weights ? "the same weights" : "other weights") +
             " and another predicted class for " + std::to_string(compared.changed_predictions) +
             " of " + std::to_string(compared.predictions) + " test images";
    return run +
           (same_weights ? "the same weights, other losses or probabilities" : "other weights") +
           " and the same predicted classes";
  }

  // Repeats of a run speak for every equal run of its identity.
  void take_verifications(const sql::Database& from, const std::string& identity) {
    const auto theirs = read_verifications(from, identity);
    if (theirs.empty()) return;
    const auto mine = read_verifications(into_, identity);
    for (const VerificationRecord& one : theirs) {
      if (std::find(mine.begin(), mine.end(), one) == mine.end()) write_verification(into_, one);
    }
  }

  const sql::Database& into_;
  const std::filesystem::path& into_path_;
  const MergeOptions& options_;
  std::map<std::pair<std::string, std::string>, SplitRecord> splits_;  // by hash and data set
};

}  // namespace

MergeReport merge_stores(const std::filesystem::path& into,
                         const std::vector<std::filesystem::path>& from,
                         const MergeOptions& options) {
  // All files are opened first: one that cannot be read must not leave a new, empty store behind.
  std::vector<sql::Database> sources;
  for (const std::filesystem::path& path : from) {
    if (is_same_store(into, path)) throw store_error(into, "it cannot be merged into itself");
    sources.push_back(open_store(path, OpenMode::read_only, kBusyTimeout));
  }
  const sql::Database db = open_store(into, OpenMode::create, kBusyTimeout);
  return with_store_errors(into, "merge into it", [&] {
    sql::Transaction transaction(db, sql::Access::write);
    Merger merger(db, into, options);
    for (std::size_t i = 0; i < from.size(); ++i) {
      with_store_errors(into, "merge '" + shown_address(from[i]) + "' into it", [&] {
        const sql::Transaction one_state(sources[i]);
        merger.take(sources[i], from[i]);
      });
    }
    transaction.commit();
    return merger.report;
  });
}

}  // namespace petlab::results
