#include "network_file_system.hpp"
#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"
#include "sql/sqlite.hpp"
#include "store_file.hpp"

#include <gtest/gtest.h>
#include <linux/magic.h>

namespace petlab::results {
namespace {

using namespace std::chrono_literals;

std::string mode_of(const SQLite::Database& db) {
  SQLite::Statement row(db, "PRAGMA journal_mode");
  row.executeStep();
  return row.getColumn(0).getString();
}

int sync_of(const SQLite::Database& db) {
  SQLite::Statement row(db, "PRAGMA synchronous");
  row.executeStep();
  return row.getColumn(0).getInt();
}

constexpr int kNormal = 1;
constexpr int kFull = 2;

class JournalTest : public testing::Test {
 protected:
  sample::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "runs.sqlite";

  SQLite::Database open(Journal journal) const {
    return open_store_file(path_, OpenMode::create, 100ms, journal);
  }
};

TEST_F(JournalTest, IsARollbackJournalWhereSeveralHostsMayMeet) {
  for (const int type : {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC,
                         OCFS2_SUPER_MAGIC, V9FS_MAGIC})
    EXPECT_TRUE(is_network_file_system(static_cast<std::uint32_t>(type))) << std::hex << type;
  for (const int type : {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, TMPFS_MAGIC})
    EXPECT_FALSE(is_network_file_system(static_cast<std::uint32_t>(type))) << std::hex << type;
  EXPECT_FALSE(is_network_file_system(BTRFS_SUPER_MAGIC));
  EXPECT_FALSE(is_network_file_system(OVERLAYFS_SUPER_MAGIC));
  EXPECT_EQ(journal_for("/proc/x.sqlite"), Journal::write_ahead);
  EXPECT_EQ(journal_for("/proc/to/be/made/x.sqlite"), Journal::write_ahead);
  EXPECT_EQ(journal_for(path_), is_on_network(path_) ? Journal::rollback : Journal::write_ahead);
}

TEST_F(JournalTest, IsSwitchedWhenAFileComesToAnotherFileSystem) {
  const SplitRecord split = sample::split(1);
  const RunRecord run = sample::done_run({}, split);
  {
    RunStore store(path_);
    store.register_split(split);
    store.record(run);
  }
  EXPECT_EQ(mode_of(open(Journal::rollback)), "delete");
  EXPECT_EQ(mode_of(open(Journal::write_ahead)), "wal");
  EXPECT_EQ(mode_of(open(Journal::rollback)), "delete");
  EXPECT_TRUE(RunStore(path_, OpenMode::read_only).has_done(run.identity.hash));
  EXPECT_FALSE(std::filesystem::exists(path_.string() + "-wal"));
}

TEST_F(JournalTest, IsNotSwitchedUnderAnotherProcess) {
  const SQLite::Database other = open(Journal::write_ahead);
  EXPECT_EQ(mode_of(other), "wal");
  EXPECT_THROW(open(Journal::rollback), base::Error);
}

TEST_F(JournalTest, IsSyncedWithEveryCommitExceptForLeasesInTheWriteAheadLog) {
  {
    SQLite::Database db = open(Journal::write_ahead);
    EXPECT_EQ(sync_of(db), kFull);
    sql::set_durability(db, sql::Durability::relaxed);
    EXPECT_EQ(sync_of(db), kNormal);
    sql::set_durability(db, sql::Durability::synced);
    EXPECT_EQ(sync_of(db), kFull);
  }
  SQLite::Database db = open(Journal::rollback);
  EXPECT_EQ(sync_of(db), kFull);
  sql::set_durability(db, sql::Durability::relaxed);
  EXPECT_EQ(sync_of(db), kFull);
}

}  // namespace
}  // namespace petlab::results
