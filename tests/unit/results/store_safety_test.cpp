#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

namespace petlab::results {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class StoreSafetyTest : public testing::Test {
 protected:
  sample::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "runs.sqlite";
  SplitRecord split_ = sample::split(1);

  void SetUp() override { RunStore(path_).register_split(split_); }

  std::string integrity() const {
    SQLite::Database db(path_.string(), SQLite::OPEN_READONLY);
    return db.execAndGet("PRAGMA integrity_check").getString();
  }
};

TEST_F(StoreSafetyTest, AWriterWaitsForAnotherAndThenSaysWhy) {
  SQLite::Database other(path_.string(), SQLite::OPEN_READWRITE);
  SQLite::Transaction held(other, SQLite::TransactionBehavior::IMMEDIATE);
  RunStore store(path_, OpenMode::read_write, 100ms);
  const auto begin = std::chrono::steady_clock::now();
  try {
    store.record(sample::done_run({}, split_));
    FAIL() << "wrote through another writer's lock";
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot store run"));
    EXPECT_THAT(error.what(), HasSubstr("database is locked"));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
  // Readers are not kept waiting by a writer.
  EXPECT_TRUE(store.split(split_.hash).has_value());
}

TEST_F(StoreSafetyTest, AWriterGoesOnWhenTheOtherEnds) {
  std::thread other([&] {
    SQLite::Database db(path_.string(), SQLite::OPEN_READWRITE);
    SQLite::Transaction held(db, SQLite::TransactionBehavior::IMMEDIATE);
    std::this_thread::sleep_for(200ms);
  });
  std::this_thread::sleep_for(50ms);
  RunStore store(path_, OpenMode::read_write, 10s);
  EXPECT_EQ(store.record(sample::done_run({}, split_)), RecordOutcome::stored);
  other.join();
}

TEST_F(StoreSafetyTest, KeepsWhatWasCommittedWhenAProcessIsKilledInsideATransaction) {
  const RunRecord kept = sample::done_run({.method = "coop"}, split_);
  const RunRecord lost = sample::done_run({.method = "vpt"}, split_);
  RunStore(path_).record(kept);

  int to_parent[2];
  ASSERT_EQ(pipe(to_parent), 0);
  const pid_t child = fork();
  if (child == 0) {
    SQLite::Database db(path_.string(), SQLite::OPEN_READWRITE);
    db.exec("PRAGMA cache_size = 1; PRAGMA foreign_keys = ON");  // spills pages into the log
    SQLite::Transaction open(db, SQLite::TransactionBehavior::IMMEDIATE);
    for (int i = 0; i < 5000; ++i) {
      db.exec("INSERT INTO images (task_id, sample_id, label) VALUES (1, 'half-" +
              std::to_string(i) + "', 0)");
    }
    const char ready = 'x';
    if (write(to_parent[1], &ready, 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  ASSERT_GT(child, 0);
  char ready = 0;
  ASSERT_EQ(read(to_parent[0], &ready, 1), 1);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  close(to_parent[0]);
  close(to_parent[1]);

  RunStore store(path_);
  EXPECT_TRUE(store.has_done(kept.identity.hash));
  EXPECT_FALSE(store.has_done(lost.identity.hash));
  EXPECT_EQ(store.record(lost), RecordOutcome::stored);
  EXPECT_EQ(integrity(), "ok");
  SQLite::Database db(path_.string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(db.execAndGet("SELECT COUNT(*) FROM images WHERE sample_id LIKE 'half-%'").getInt(), 0);
}

TEST_F(StoreSafetyTest, TakesRunsOfSeveralProcessesThatStartOnANewFileTogether) {
  constexpr int kProcesses = 4;
  constexpr int kRuns = 25;
  const std::filesystem::path path = folder_ / "together.sqlite";
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t child = fork();
    if (child == 0) {
      try {
        RunStore store(path);
        store.register_split(split_);
        for (int i = 0; i < kRuns; ++i) {  // every process tries every run
          store.record(sample::done_run({.method = "method-" + std::to_string(i)}, split_));
        }
        _exit(0);
      } catch (const std::exception& error) {
        static_cast<void>(!write(2, error.what(), std::string(error.what()).size()));
        _exit(1);
      }
    }
    ASSERT_GT(child, 0);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  SQLite::Database db(path.string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(db.execAndGet("SELECT COUNT(*) FROM runs").getInt(), kRuns);
  EXPECT_EQ(db.execAndGet("SELECT COUNT(*) FROM predictions").getInt(), 2 * kRuns);
  EXPECT_EQ(db.execAndGet("PRAGMA integrity_check").getString(), "ok");
}

}  // namespace
}  // namespace petlab::results
