#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace petlab::results {
namespace {

using testing::HasSubstr;

class StoreFileTest : public testing::Test {
 protected:
  sample::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "runs.sqlite";

  std::string refusal(OpenMode mode) const {
    try {
      RunStore store(path_, mode);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::store);
      EXPECT_THAT(error.what(), HasSubstr(path_.string()));
      return error.what();
    }
    return "opened";
  }

  void change(const std::string& sql) const {
    SQLite::Database db(path_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec(sql);
  }

  template <class Value>
  Value ask(const std::string& sql) const {
    SQLite::Database db(path_.string(), SQLite::OPEN_READONLY);
    return static_cast<Value>(db.execAndGet(sql));
  }
};

TEST_F(StoreFileTest, IsWrittenWithAVersion) {
  RunStore store(path_);
  EXPECT_EQ(ask<int>("PRAGMA user_version"), RunStore::schema_version());
  EXPECT_EQ(ask<std::string>("PRAGMA integrity_check"), "ok");
  EXPECT_EQ(store.path(), path_);
}

TEST_F(StoreFileTest, OpensAgainInEveryMode) {
  const SplitRecord split = sample::split(1);
  {
    RunStore(path_).register_split(split);
  }
  for (const OpenMode mode : {OpenMode::create, OpenMode::read_write, OpenMode::read_only}) {
    EXPECT_TRUE(RunStore(path_, mode).split(split.hash).has_value());
  }
}

TEST_F(StoreFileTest, IsNotChangedThroughAReadOnlyStore) {
  {
    RunStore store(path_);
  }
  RunStore store(path_, OpenMode::read_only);
  EXPECT_THROW(store.register_split(sample::split(1)), base::Error);
}

TEST_F(StoreFileTest, MustExistUnlessItIsCreated) {
  EXPECT_THAT(refusal(OpenMode::read_only), HasSubstr("there is no such file"));
  EXPECT_THAT(refusal(OpenMode::read_write), HasSubstr("there is no such file"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(StoreFileTest, MustNotBeAFileThatIsNoDatabase) {
  std::ofstream(path_) << "these are some notes about runs, much longer than a header would be\n";
  const auto size = std::filesystem::file_size(path_);
  EXPECT_THAT(refusal(OpenMode::create), HasSubstr("not an SQLite file"));
  EXPECT_EQ(std::filesystem::file_size(path_), size);
}

TEST_F(StoreFileTest, MustNotBeAnotherProgramsDatabase) {
  change("CREATE TABLE bookmarks (url TEXT)");
  EXPECT_THAT(refusal(OpenMode::create), HasSubstr("another program's SQLite file"));
  EXPECT_EQ(ask<std::string>("PRAGMA journal_mode"), "delete");
}

TEST_F(StoreFileTest, MustNotBeEmptyUnlessItIsCreated) {
  std::ofstream{path_};
  EXPECT_THAT(refusal(OpenMode::read_only), HasSubstr("the file is empty"));
  EXPECT_EQ(refusal(OpenMode::create), "opened");
}

TEST_F(StoreFileTest, OfANewerSchemaIsRefusedInOneSentence) {
  {
    RunStore store(path_);
  }
  change("PRAGMA user_version = 99");
  for (const OpenMode mode : {OpenMode::create, OpenMode::read_write, OpenMode::read_only}) {
    EXPECT_THAT(refusal(mode),
                HasSubstr("it has schema version 99, this petlab knows versions up to " +
                          std::to_string(RunStore::schema_version()) +
                          "; use the newer petlab that wrote it"));
  }
  EXPECT_EQ(ask<int>("PRAGMA user_version"), 99);
}

TEST_F(StoreFileTest, OfASchemaBelowZeroIsRefusedInOneSentence) {
  {
    RunStore store(path_);
  }
  for (const char* version : {"-1", "-2147483648"}) {
    change(std::string("PRAGMA user_version = ") + version);
    for (const OpenMode mode : {OpenMode::create, OpenMode::read_write, OpenMode::read_only})
      EXPECT_THAT(refusal(mode),
                  HasSubstr(std::string("it has schema version ") + version + ", expected 0 to "));
  }
}

TEST_F(StoreFileTest, InAFolderThatCannotBeMadeIsOneSentence) {
  std::ofstream(folder_ / "file") << "x";
  path_ = folder_ / "file/runs.sqlite";
  EXPECT_THAT(refusal(OpenMode::create), HasSubstr("cannot make its folder"));
}

TEST_F(StoreFileTest, ProtectsFinishedRunsFromOtherToolsToo) {
  const SplitRecord split = sample::split(1);
  {
    RunStore store(path_);
    store.register_split(split);
    store.record(sample::done_run({}, split));
  }
  EXPECT_THROW(change("UPDATE runs SET seed = 2"), SQLite::Exception);
  EXPECT_THROW(change("DELETE FROM runs"), SQLite::Exception);
}

}  // namespace
}  // namespace petlab::results
