#include "old_store.hpp"
#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace petlab::results {
namespace {

using sample::make_old_store;
using sample::RunChoice;
using sample::text_of;

const RunChoice kDone{.method = "mmap", .sharing = "grouped", .grouping = "gradient"};
const RunChoice kFailed{.method = "coop"};

void expect_content(RunStore& store) {
  const SplitRecord split = sample::split(1);
  ASSERT_EQ(store.studies(), std::vector<std::string>{"demo"});
  const StudyRecord study = store.study("demo").value();
  ASSERT_EQ(study.plan.size(), 2U);
  EXPECT_TRUE(study.searches.empty());
  EXPECT_EQ(store.runs("demo")[0].status, RunStatus::done);
  EXPECT_EQ(store.runs("demo")[1].status, RunStatus::failed);
  EXPECT_EQ(store.runs("demo")[1].error, "out of memory");
  ASSERT_TRUE(store.split(split.hash).has_value());

  const RunRecord wanted = sample::done_run(kDone, split);
  const std::optional<RunRecord> run = store.load(wanted.identity.hash);
  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(run->identity.parts, wanted.identity.parts);
  EXPECT_EQ(run->options, wanted.options);
  EXPECT_EQ(run->trained_hash, wanted.trained_hash);
  EXPECT_EQ(run->parameters.size(), wanted.parameters.size());
  EXPECT_EQ(run->costs.size(), wanted.costs.size());
  EXPECT_EQ(run->grouping->partition, wanted.grouping->partition);
  ASSERT_EQ(run->tasks.size(), 2U);
  ASSERT_EQ(run->tasks[0].predictions.size(), 10U);
  EXPECT_EQ(run->tasks[0].predictions[9].predicted, wanted.tasks[0].predictions[9].predicted);
  EXPECT_EQ(run->tasks[0].n_correct, 7);
  // What that version did not know.
  EXPECT_EQ(run->resumed, 0);
  EXPECT_FALSE(run->step_flops.has_value());
  EXPECT_FALSE(run->image_flops.has_value());
  ASSERT_EQ(run->epochs.size(), 2U);
  EXPECT_EQ(run->epochs[1].loss, 0.75);
  EXPECT_EQ(run->epochs[1].steps, 0);
  EXPECT_EQ(run->epochs[1].images, 0);
  EXPECT_EQ(run->method_trait, "");
}

int version_of(const std::filesystem::path& path) {
  SQLite::Database db(path.string(), SQLite::OPEN_READONLY);
  return db.execAndGet("PRAGMA user_version").getInt();
}

std::string schema_of(const std::filesystem::path& path) {
  SQLite::Database db(path.string(), SQLite::OPEN_READONLY);
  SQLite::Statement row(db, "SELECT type, name, sql FROM sqlite_master ORDER BY type, name");
  std::string text;
  while (row.executeStep())
    text += row.getColumn(1).getString() + ": " + row.getColumn(2).getString() + "\n";
  return text;
}

class MigrationTest : public testing::TestWithParam<int> {
 protected:
  sample::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "old.sqlite";
  void SetUp() override { make_old_store(path_, GetParam()); }
};

TEST_P(MigrationTest, BringsAnOlderStoreUpToDateWithItsRuns) {
  {
    RunStore store(path_, OpenMode::read_write);
    expect_content(store);
    store.record(sample::done_run(kFailed, sample::split(1)));
    EXPECT_EQ(store.runs("demo")[1].attempts, 2);
  }
  EXPECT_EQ(version_of(path_), RunStore::schema_version());
  const std::filesystem::path fresh = folder_ / "fresh.sqlite";
  {
    RunStore store(fresh);
  }
  EXPECT_EQ(schema_of(path_), schema_of(fresh));
  SQLite::Database db(path_.string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(db.execAndGet("PRAGMA integrity_check").getString(), "ok");
  SQLite::Statement broken(db, "PRAGMA foreign_key_check");
  EXPECT_FALSE(broken.executeStep());
}

TEST_P(MigrationTest, ReadsAnOlderStoreWithoutChangingIt) {
  const std::string before = text_of(path_);
  {
    RunStore store(path_, OpenMode::read_only);
    expect_content(store);
    EXPECT_THROW(store.register_split(sample::split(2)), std::exception);
  }
  EXPECT_EQ(version_of(path_), GetParam());
  EXPECT_EQ(text_of(path_), before);
}

TEST_P(MigrationTest, KnowsTheBaselineOfAVersionWithoutTraitsByItsName) {
  if (GetParam() >= 3) GTEST_SKIP() << "its runs say what their methods are";
  {
    // The failed run and its plan, as if its method had been another.
    const SplitRecord split = sample::split(1);
    const RunChoice baseline{.method = "Zero_Shot"};
    const std::string from = sample::identity_of(kFailed, split).hash;
    const std::string to = sample::identity_of(baseline, split).hash;
    SQLite::Database db(path_.string(), SQLite::OPEN_READWRITE);
    for (const char* table : {"runs", "study_runs"})
      db.exec(std::string("UPDATE ") + table + " SET method = 'Zero_Shot', identity = '" + to +
              "' WHERE identity = '" + from + "'");
    db.exec(
        "UPDATE run_values SET value = 'Zero_Shot' WHERE kind = 'identity' AND name = 'method' "
        "AND run_id = (SELECT run_id FROM runs WHERE status = 'failed')");
  }
  const RunStore store(path_, OpenMode::read_only);
  const auto runs = store.runs("demo");
  EXPECT_EQ(store.load(runs[0].plan.hash)->method_trait, "");
  EXPECT_EQ(store.load(runs[1].plan.hash)->method_trait, method_trait::kBaseline);
}

TEST_P(MigrationTest, DoesNotKnowOnHowManyImagesAnOlderSearchWasScored) {
  if (GetParam() < 2) GTEST_SKIP() << "it knew no searches";
  if (GetParam() >= 4) GTEST_SKIP() << "its searches say it";
  {
    SQLite::Database db(path_.string(), SQLite::OPEN_READWRITE);
    db.exec(
        "INSERT INTO study_searches (study_id, row_index, strategy, trials, trial_runs, "
        "trial_study, validation_accuracy) SELECT study_id, 0, 'grid', 6, 12, 'demo/search', 0.5 "
        "FROM studies; INSERT INTO study_search_values (study_id, row_index, position, name, value)"
        " SELECT study_id, 0, 0, 'momentum', '0' FROM studies");
  }
  RunStore store(path_, OpenMode::read_write);
  const SearchRecord search = store.study("demo")->searches.at(0);
  EXPECT_EQ(search.added_trials, 0);
  EXPECT_EQ(search.scored_on, scored_on::kHeldOut);
  EXPECT_TRUE(search.edges.empty());
  EXPECT_TRUE(search.images.empty());
  EXPECT_FALSE(search.standard_error.has_value());
}

// Where a new schema version holds something new, version_N.sql has what a store of it gains.
INSTANTIATE_TEST_SUITE_P(EarlierVersions, MigrationTest,
                         testing::Range(1, RunStore::schema_version()));

}  // namespace
}  // namespace petlab::results
