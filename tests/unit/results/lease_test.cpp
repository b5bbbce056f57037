#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"
#include "postgres_server.hpp"
#include "sample_records.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

namespace petlab::results {
namespace {

using namespace std::chrono_literals;
using sample::RunChoice;

class LeaseTest : public testing::TestWithParam<sample::StoreKind> {
 protected:
  sample::TemporaryFolder folder_;
  std::filesystem::path path_ = sample::new_store(GetParam(), folder_);
  SplitRecord split_ = sample::split(1);
  RunStore store_{path_};
  RunRecord run_ = sample::done_run({}, split_);
  std::string id_ = run_.identity.hash;

  void SetUp() override { store_.register_split(split_); }

  // As if the time had passed: no test waits for a clock.
  void let_pass(std::chrono::milliseconds time) const {
    sample::change_store(path_,
                         "UPDATE leases SET expires = expires - " + std::to_string(time.count()));
  }
};

TEST_P(LeaseTest, IsHeldByOneOwnerUntilItIsReleased) {
  EXPECT_EQ(store_.claim(id_, "a", 1h), Claim::taken);
  EXPECT_EQ(store_.claim(id_, "a", 1h), Claim::taken);
  EXPECT_EQ(store_.claim(id_, "b", 1h), Claim::busy);
  store_.release(id_, "b");  // not the owner: nothing happens
  EXPECT_EQ(store_.claim(id_, "b", 1h), Claim::busy);
  store_.release(id_, "a");
  EXPECT_EQ(store_.claim(id_, "b", 1h), Claim::taken);
}

TEST_P(LeaseTest, IsTakenOverWhenItExpired) {
  EXPECT_EQ(store_.claim(id_, "a", 1h), Claim::taken);
  let_pass(1h);
  EXPECT_EQ(store_.claim(id_, "b", 1h), Claim::taken);
  EXPECT_EQ(store_.claim(id_, "a", 1h), Claim::busy);
  EXPECT_FALSE(store_.renew({id_}, "a", 1h));
  EXPECT_EQ(store_.leases().at(0).owner, "b");
}

TEST_P(LeaseTest, IsExtendedByRenewalAndNamesThoseThatAreLost) {
  const std::string other = sample::identity_of({.seed = 2}, split_).hash;
  EXPECT_EQ(store_.claim(id_, "a", 1h), Claim::taken);
  EXPECT_EQ(store_.claim(other, "a", 1h), Claim::taken);
  EXPECT_TRUE(store_.renew({id_, other}, "a", 3h));
  let_pass(2h);
  EXPECT_EQ(store_.claim(id_, "b", 1h), Claim::busy);
  let_pass(1h);
  EXPECT_TRUE(store_.renew({id_}, "a", 1h)) << "expired, but nobody took it over";
  EXPECT_EQ(store_.claim(other, "b", 1h), Claim::taken);
  EXPECT_FALSE(store_.renew({other, id_}, "a", 5h));
  let_pass(2h);
  EXPECT_EQ(store_.claim(id_, "b", 1h), Claim::busy) << "the one that is held was extended";
  EXPECT_TRUE(store_.renew({}, "a", 1h));
}

TEST_P(LeaseTest, EndsWithAFinishedRunButNotWithAFailedOne) {
  EXPECT_EQ(store_.claim(id_, "a", 1h), Claim::taken);
  store_.record(sample::failed_run({}, split_, "out of memory"));
  EXPECT_EQ(store_.leases().size(), 1U);
  EXPECT_EQ(store_.claim(id_, "b", 1h), Claim::busy);
  store_.release(id_, "a");
  EXPECT_EQ(store_.claim(id_, "b", 1h), Claim::taken) << "a failed run can be tried again";
  store_.record(run_);
  EXPECT_TRUE(store_.leases().empty());
  EXPECT_EQ(store_.claim(id_, "a", 1h), Claim::already_done);
  EXPECT_TRUE(store_.leases().empty());
  EXPECT_FALSE(store_.renew({id_}, "b", 1h));
}

TEST_P(LeaseTest, IsListedWithItsTimes) {
  EXPECT_EQ(store_.claim(id_, "host 4711", 1h), Claim::taken);
  sample::change_store(path_, "UPDATE leases SET taken = 1767225600250, expires = 1767229200007");
  const std::vector<Lease> leases = store_.leases();
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_EQ(leases[0].identity, id_);
  EXPECT_EQ(leases[0].owner, "host 4711");
  EXPECT_EQ(leases[0].taken, "2026-01-01T00:00:00.250Z");
  EXPECT_EQ(leases[0].expires, "2026-01-01T01:00:00.007Z");
}

TEST_P(LeaseTest, RefusesWhatCannotBeALease) {
  EXPECT_THROW(store_.claim("beef", "a", 1h), base::Error);
  EXPECT_THROW(store_.claim(id_, "", 1h), base::Error);
  EXPECT_THROW(store_.claim(id_, "a", 0ms), base::Error);
  EXPECT_THROW(store_.renew({id_}, "a", -1ms), base::Error);
}

PETLAB_ON_EVERY_KIND_OF_STORE(LeaseTest);

// ------------------------------------------------------------------ many workers, some of them die

constexpr int kLeasedRuns = 1000;
constexpr int kWorkers = 8;
constexpr auto kTtl = 2000ms;

RunChoice tiny_run(int number) {
  return {.method = "method-" + std::to_string(number)};
}

// What a worker does: takes what is free, records it, until the store holds every run. Each claim
// is noted in a file of its own, so that the test sees what was taken over.
int work(const std::filesystem::path& path, const SplitRecord& split, int number) {
  RunStore store(path, OpenMode::read_write);
  const std::string owner = "worker " + std::to_string(getpid());
  std::set<int> done;
  while (static_cast<int>(done.size()) < kLeasedRuns) {
    for (int i = 0; i < kLeasedRuns; ++i) {
      const int run = (i + number * kLeasedRuns / kWorkers) % kLeasedRuns;
      if (done.count(run) == 1) continue;
      const RunRecord record = sample::done_run(tiny_run(run), split);
      const auto before = std::chrono::steady_clock::now();
      const Claim claim = store.claim(record.identity.hash, owner, kTtl);
      if (claim == Claim::already_done) done.insert(run);
      if (claim != Claim::taken) continue;
      const bool stored = store.record(record) == RecordOutcome::stored;
      // Nobody else may have done it while the lease held.
      if (!stored && std::chrono::steady_clock::now() - before < kTtl) return 2;
      done.insert(run);
    }
    std::this_thread::sleep_for(10ms);
  }
  return 0;
}

pid_t start_worker(const std::filesystem::path& path, const SplitRecord& split, int number) {
  const pid_t child = fork();
  if (child != 0) return child;
  int outcome = 1;
  try {
    outcome = work(path, split, number);
  } catch (const std::exception& error) {
    const std::string text = std::string(error.what()) + "\n";
    static_cast<void>(!write(2, text.data(), text.size()));
  }
  _exit(outcome);
}

// A worker that takes a run and then neither records nor renews it until it is killed.
pid_t start_victim(const std::filesystem::path& path, const SplitRecord& split, int run,
                   int ready) {
  const pid_t child = fork();
  if (child != 0) return child;
  try {
    RunStore store(path, OpenMode::read_write);
    const std::string id = sample::identity_of(tiny_run(run), split).hash;
    const char claimed =
        store.claim(id, "victim " + std::to_string(getpid()), kTtl) == Claim::taken ? 'y' : 'n';
    if (write(ready, &claimed, 1) != 1) _exit(1);
    pause();
  } catch (const std::exception&) {
    _exit(1);
  }
  _exit(0);
}

TEST(LeaseStress, EightWorkersDoAThousandRunsOnceEachAlthoughSomeAreKilled) {
  sample::TemporaryFolder folder;
  const std::filesystem::path path = folder / "runs.sqlite";
  const SplitRecord split = sample::split(1);
  RunStore(path).register_split(split);

  // Three are killed for certain while they hold a run ...
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  for (const int run : {0, 500, 999}) {
    const pid_t victim = start_victim(path, split, run, ready[1]);
    char claimed = 'n';
    ASSERT_EQ(read(ready[0], &claimed, 1), 1);
    ASSERT_EQ(claimed, 'y');
    ASSERT_EQ(kill(victim, SIGKILL), 0);
    ASSERT_EQ(waitpid(victim, nullptr, 0), victim);
  }
  close(ready[0]);
  close(ready[1]);

  // ... and four of the eight wherever they are just then; others take their places.
  std::vector<pid_t> workers;
  for (int i = 0; i < kWorkers; ++i)
    workers.push_back(start_worker(path, split, i));
  const auto stored = [&] {
    SQLite::Database db(path.string(), SQLite::OPEN_READONLY, 10000);
    return db.execAndGet("SELECT COUNT(*) FROM runs").getInt();
  };
  for (int i = 0; i < 4; ++i) {
    while (stored() < 100 * (i + 1))
      std::this_thread::sleep_for(1ms);
    auto& worker = workers[static_cast<std::size_t>(i)];
    ASSERT_EQ(kill(worker, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(worker, &status, 0), worker);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it had ended before it was killed";
    worker = start_worker(path, split, i);
  }
  for (const pid_t worker : workers) {
    int status = 0;
    ASSERT_EQ(waitpid(worker, &status, 0), worker);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }

  SQLite::Database db(path.string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(db.execAndGet("SELECT COUNT(*) FROM runs WHERE status = 'done'").getInt(), kLeasedRuns);
  EXPECT_EQ(db.execAndGet("SELECT COUNT(DISTINCT identity) FROM runs").getInt(), kLeasedRuns);
  EXPECT_EQ(db.execAndGet("SELECT MAX(attempts) FROM runs").getInt(), 1);
  EXPECT_EQ(db.execAndGet("SELECT COUNT(*) FROM predictions").getInt(), 2 * kLeasedRuns);
  EXPECT_EQ(db.execAndGet("SELECT COUNT(*) FROM leases").getInt(), 0);
  EXPECT_EQ(db.execAndGet("PRAGMA integrity_check").getString(), "ok");
}

}  // namespace
}  // namespace petlab::results
