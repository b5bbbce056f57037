#include "old_store.hpp"
#include "petlab/base/error.hpp"
#include "petlab/results/check.hpp"
#include "petlab/results/export.hpp"
#include "petlab/results/run_store.hpp"
#include "postgres_server.hpp"
#include "sample_records.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>
#include <functional>

// Files that somebody else touched: what is read is what was written, or it is refused.
namespace petlab::results {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

std::string store_refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::store);
    return error.what();
  }
  return "done";
}

class StoreTrust : public testing::Test {
 protected:
  void SetUp() override { fill(path_); }

  void fill(const fs::path& path) const {
    RunStore store(path);
    store.register_split(split_);
    store.set_study(sample::study("demo", {{"coop", {run_}}}));
    store.record(sample::done_run(run_, split_));
  }

  void change(const std::string& sql) const {
    SQLite::Database db(path_.string(), SQLite::OPEN_READWRITE);
    db.exec(sql);
  }

  [[nodiscard]] std::string reading() const {
    return store_refusal([&] { (void)RunStore(path_, OpenMode::read_only).load(hash_); });
  }
  [[nodiscard]] std::string visiting() const {
    return store_refusal([&] {
      RunStore(path_, OpenMode::read_only)
          .visit_runs("demo", LoadDetail::without_predictions, [](const auto&, auto) {});
    });
  }
  [[nodiscard]] std::string exporting() const {
    return store_refusal([&] { (void)export_views(path_, folder_ / "out"); });
  }

  sample::TemporaryFolder folder_;
  fs::path path_ = folder_ / "runs.sqlite";
  SplitRecord split_ = sample::split(1);
  sample::RunChoice run_ = {};
  std::string hash_ = sample::identity_of(run_, split_).hash;
};

TEST_F(StoreTrust, ASoundStoreIsRead) {
  EXPECT_EQ(reading(), "done");
  EXPECT_EQ(visiting(), "done");
  EXPECT_EQ(exporting(), "done");
  const StoreCheck check = check_store(path_);
  EXPECT_THAT(check.problems, IsEmpty());
  EXPECT_EQ(check.runs, 1);
  EXPECT_EQ(check.studies, 1);
  EXPECT_EQ(check.splits, 1);
  EXPECT_EQ(check.predictions, 20);
}

class ChangedNumbers : public StoreTrust, public testing::WithParamInterface<sample::StoreKind> {
 protected:
  void SetUp() override {}
};

TEST_P(ChangedNumbers, ThatContradictThePredictionsAreRefusedByWhoeverReads) {
  const struct {
    const char* sql;
    const char* said;
  } cases[] = {
      {"UPDATE task_results SET n_correct = n_correct + 1 WHERE task_id = 1",
       "n_correct is 8, the predictions give 7"},
      {"UPDATE task_results SET n_correct = 0, n_test = 9 WHERE task_id = 2", "the split has 10"},
      {"UPDATE predictions SET data = substr(data, 1, 20) WHERE task_id = 1", "predictions for 10"},
      {"UPDATE images SET label = (label + 1) % 4 WHERE task_id = 1", "the predictions give"},
      {"UPDATE run_values SET value = 'x' WHERE kind = 'identity' AND position = 0",
       "is not the hash of its identity's parts"},
      {"DELETE FROM task_results WHERE task_id = 2", "results for 1 tasks"},
      {GetParam() == sample::StoreKind::file
           ? "UPDATE task_results SET loss = 9e999 WHERE task_id = 2"
           : "UPDATE task_results SET loss = 'Infinity' WHERE task_id = 2",
       "not a finite number"},
  };
  for (const auto& one : cases) {
    fs::remove(path_);
    path_ = sample::new_store(GetParam(), folder_);
    fill(path_);
    sample::change_store(path_, one.sql);
    for (const std::string& said : {reading(), visiting(), exporting()})
      EXPECT_THAT(said, AllOf(HasSubstr(path_.string()), HasSubstr(one.said))) << one.sql;
    EXPECT_THAT(check_store(path_).problems, Contains(HasSubstr(one.said))) << one.sql;
  }
}

TEST_P(ChangedNumbers, APlanThatNamesARunOfAnotherKindIsRefused) {
  for (const char* change :
       {"seed = 9", "method = 'vpt'", "sharing = 'per-task'", "grouping = 'random'"}) {
    fs::remove(path_);
    path_ = sample::new_store(GetParam(), folder_);
    fill(path_);
    sample::change_store(path_, std::string("UPDATE study_runs SET ") + change);
    const std::string said = "study 'demo' plans row 'coop' with seed ";
    EXPECT_THAT(visiting(), AllOf(HasSubstr(path_.string()), HasSubstr(said))) << change;
    EXPECT_THAT(check_store(path_).problems, Contains(HasSubstr(said))) << change;
  }
}

PETLAB_ON_EVERY_KIND_OF_STORE(ChangedNumbers);

TEST_F(StoreTrust, ColumnsThatContradictTheIdentityAreRefused) {
  change("DROP TRIGGER a_finished_run_is_never_changed");
  const std::pair<const char*, const char*> cases[] = {
      {"seed = 2", "its seed is '2', its identity's '1'"},
      {"method = 'vpt'", "its method is 'vpt', its identity's 'coop'"},
      {"sharing = 'per-task'", "its sharing is 'per-task', its identity's 'joint'"}};
  for (const auto& [sql, said] : cases) {
    change(std::string("UPDATE runs SET ") + sql);
    EXPECT_THAT(reading(), HasSubstr(said));
    EXPECT_THAT(check_store(path_).problems, Contains(HasSubstr(said)));
    change("UPDATE runs SET seed = 1, method = 'coop', sharing = 'joint'");
  }
  EXPECT_EQ(reading(), "done");
}

TEST_F(StoreTrust, ViewsAndTriggersThatAreNotOursAreFound) {
  change("DROP VIEW accuracy");
  change("CREATE VIEW accuracy AS SELECT 'demo' AS study, 1.0 AS accuracy");
  change("CREATE TRIGGER helpful AFTER INSERT ON runs BEGIN SELECT 1; END");
  EXPECT_THAT(exporting(), HasSubstr("its view 'accuracy' is not the one that petlab made"));
  const StoreCheck check = check_store(path_);
  EXPECT_THAT(check.problems, Contains(HasSubstr("view 'accuracy' is not the one")));
  EXPECT_THAT(check.problems, Contains(HasSubstr("a trigger 'helpful'")));
}

TEST_F(StoreTrust, AnExportStaysInItsFolderWhateverViewsAreCalled) {
  const fs::path target = folder_ / "deep/out";
  for (const std::string& name : {(folder_ / "absolute").string(), std::string("../up"),
                                  std::string("a/b"), std::string("quo\"\"te"), std::string("..")})
    change("CREATE VIEW \"" + name + "\" AS SELECT 'demo' AS study");
  EXPECT_EQ(export_views(path_, target).size(), 8U);
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / ""))
    if (entry.path().extension() == ".csv") files.push_back(entry.path().parent_path().string());
  EXPECT_THAT(files, testing::Each(target.string()));
}

TEST_F(StoreTrust, FormulasOfASpreadsheetAreTextInTheExport) {
  RunStore store(path_);
  sample::RunChoice other{.seed = 2};
  store.register_split(sample::split(2));
  store.set_study(sample::study("=cmd|' /C calc'!A0", {{"@sum", {other}}}));
  store.record(sample::failed_run(other, sample::split(2), "+1+cmd"));
  (void)export_views(path_, folder_ / "out");
  const std::string text = sample::text_of(folder_ / "out/failures.csv");
  EXPECT_THAT(text, HasSubstr("\n'=cmd|' /C calc'!A0,'@sum,"));
  EXPECT_THAT(text, HasSubstr("'+1+cmd"));
}

TEST_F(StoreTrust, TextsOfFailuresAreOneLineOfPlainText) {
  RunStore store(path_);
  sample::RunChoice other{.seed = 2};
  store.register_split(sample::split(2));
  store.record(sample::failed_run(other, sample::split(2),
                                  "bad \xff\x1b[2J\nline" + std::string(5'000'000, 'A')));
  const auto run = store.load(sample::identity_of(other, sample::split(2)).hash);
  EXPECT_THAT(run->error, testing::StartsWith("bad \\xFF\\x1B[2J line"));
  EXPECT_LT(run->error.size(), 3000U);
}

TEST_F(StoreTrust, AStoreThatWasRemovedOrReplacedIsWrittenToNoMore) {
  for (const bool replaced : {false, true}) {
    fs::remove(path_);
    RunStore store(path_);
    store.register_split(split_);
    EXPECT_EQ(store.file_id(), RunStore(path_, OpenMode::read_only).file_id());
    fs::rename(path_, folder_ / "moved.sqlite");
    for (const char* suffix : {"-wal", "-shm"})
      fs::remove(path_.string() + suffix);
    if (replaced) {
      RunStore another(path_);
      EXPECT_NE(another.file_id(), store.file_id());
    }
    const std::string expected = replaced ? "it was replaced" : "it was removed or moved";
    EXPECT_THAT(store_refusal([&] { store.check_in_place(); }), HasSubstr(expected));
    EXPECT_THAT(store_refusal([&] { store.record(sample::done_run(run_, split_)); }),
                HasSubstr(expected));
    EXPECT_THAT(store_refusal([&] { (void)store.claim(hash_, "me", std::chrono::seconds(1)); }),
                HasSubstr(expected));
    EXPECT_EQ(fs::exists(path_), replaced) << "nothing makes the file anew";
    fs::remove(path_);
  }
}

TEST_F(StoreTrust, WhatIsNoFileIsRefused) {
  const fs::path pipe = folder_ / "pipe.sqlite";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const OpenMode mode : {OpenMode::create, OpenMode::read_write, OpenMode::read_only}) {
    EXPECT_THAT(store_refusal([&] { RunStore store(pipe, mode); }), HasSubstr("is a pipe"));
    EXPECT_THAT(store_refusal([&] { RunStore store(folder_ / "", mode); }),
                HasSubstr("is a folder"));
    EXPECT_THAT(store_refusal([&] { RunStore store("/dev/null", mode); }),
                HasSubstr("is a device"));
  }
}

// SQLite wants to make a file of shared memory beside the store even to read it; a read-only medium
// does not let it.
TEST_F(StoreTrust, IsReadWhereNothingCanBeWrittenBesideIt) {
  const fs::path there = folder_ / "medium";
  fs::create_directories(there);
  {
    // A log that was not yet copied into the file belongs to it.
    RunStore open(path_);
    sample::RunChoice second{.seed = 2};
    open.register_split(sample::split(2));
    open.record(sample::done_run(second, sample::split(2)));
    for (const char* suffix : {"", "-wal"})
      fs::copy_file(path_.string() + suffix, there.string() + "/runs.sqlite" + suffix);
  }
  const fs::path copy = there / "runs.sqlite";
  fs::create_directories(copy.string() + "-shm");
  const std::string before = sample::text_of(copy);
  EXPECT_TRUE(RunStore(copy, OpenMode::read_only).load(hash_).has_value());
  EXPECT_TRUE(RunStore(copy, OpenMode::read_only)
                  .has_done(sample::identity_of({.seed = 2}, sample::split(2)).hash));
  EXPECT_EQ(export_views(copy, folder_ / "out").size(), 8U);
  EXPECT_THAT(check_store(copy).problems, IsEmpty());
  EXPECT_EQ(sample::text_of(copy), before);
}

}  // namespace
}  // namespace petlab::results
