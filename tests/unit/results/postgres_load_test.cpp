#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"
#include "postgres_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <thread>

// Many workers on one server, and a server that goes away under them.
namespace petlab::results {
namespace {

using namespace std::chrono_literals;
using sample::PostgresServer;
using testing::HasSubstr;

constexpr int kLoadRuns = 200;

RunRecord run_of(int number, const SplitRecord& split) {
  return sample::done_run({.method = "method-" + std::to_string(number)}, split);
}

// A worker as the program has it: takes what is free, computes it (which it writes into `diary`),
// records it, until all are done. Returns its exit code: 3 where some are never done, which another
// took and lost.
int work(const std::filesystem::path& uri, const SplitRecord& split, int number, int workers,
         std::chrono::milliseconds patience, const std::filesystem::path& diary) {
  std::ofstream said(diary, std::ios::app);
  auto store = RunStore::reopen(uri, OpenMode::read_write, {patience, [&](const std::string& text) {
                                                              said << "said " << text << std::endl;
                                                            }});
  const std::string owner = "worker " + std::to_string(number);
  std::set<int> done;
  const auto limit = std::chrono::steady_clock::now() + 3min;
  while (static_cast<int>(done.size()) < kLoadRuns) {
    if (std::chrono::steady_clock::now() > limit) return 3;
    for (int i = 0; i < kLoadRuns; ++i) {
      const int run = (i + number * kLoadRuns / workers) % kLoadRuns;
      if (done.count(run) == 1) continue;
      const RunRecord record = run_of(run, split);
      const Claim claim = store.claim(record.identity.hash, owner, 10min);
      if (claim == Claim::already_done) done.insert(run);
      if (claim != Claim::taken) continue;
      said << "run " << run << std::endl;
      if (store.record(record) != RecordOutcome::stored) return 2;
      done.insert(run);
    }
    std::this_thread::sleep_for(10ms);
  }
  return 0;
}

class PostgresLoad : public testing::Test {
 protected:
  void SetUp() override {
    if (!PostgresServer::is_installed()) GTEST_SKIP() << "needs a PostgreSQL server";
    uri_ = sample::new_store(sample::StoreKind::server, folder_);
    RunStore(uri_).register_split(split_);
  }

  void start(int workers, std::chrono::milliseconds patience) {
    for (int i = 0; i < workers; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        int outcome = 1;
        const std::filesystem::path diary = diary_of(i);
        try {
          outcome = work(uri_, split_, i, workers, patience, diary);
        } catch (const std::exception& error) {
          std::ofstream(diary, std::ios::app) << "ended " << error.what() << std::endl;
        }
        ::_exit(outcome);
      }
      children_.push_back(child);
    }
  }

  std::vector<int> wait() {
    std::vector<int> codes;
    for (const pid_t child : children_) {
      int status = 0;
      EXPECT_EQ(::waitpid(child, &status, 0), child);
      codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    return codes;
  }

  [[nodiscard]] std::filesystem::path diary_of(int worker) const {
    return folder_ / ("diary" + std::to_string(worker));
  }
  [[nodiscard]] std::vector<std::string> diaries() const {
    std::vector<std::string> lines;
    for (int i = 0; i < static_cast<int>(children_.size()); ++i) {
      std::ifstream file(diary_of(i));
      for (std::string line; std::getline(file, line);)
        lines.push_back(line);
    }
    return lines;
  }
  [[nodiscard]] std::string count(const std::string& what) const {
    return sample::change_store(uri_, "SELECT COUNT(*) FROM " + what);
  }

  // At most a minute: workers may have ended.
  void wait_for_runs(int number) const {
    const auto limit = std::chrono::steady_clock::now() + 60s;
    while (std::stoi(count("runs")) < number && std::chrono::steady_clock::now() < limit)
      std::this_thread::sleep_for(5ms);
  }

  // All of them, whole, each computed once.
  void expect_all_done_once() const {
    EXPECT_EQ(count("runs WHERE status = 'done' AND attempts = 1"), std::to_string(kLoadRuns));
    EXPECT_EQ(count("predictions"), std::to_string(2 * kLoadRuns));
    EXPECT_EQ(count("leases"), "0");
    std::multiset<std::string> computed;
    for (const std::string& line : diaries())
      if (line.starts_with("run ")) computed.insert(line);
    EXPECT_EQ(computed.size(), static_cast<std::size_t>(kLoadRuns));
    EXPECT_EQ(std::set<std::string>(computed.begin(), computed.end()).size(),
              static_cast<std::size_t>(kLoadRuns));
    const RunStore store(uri_, OpenMode::read_only);
    for (int run = 0; run < kLoadRuns; ++run)
      EXPECT_TRUE(store.load(run_of(run, split_).identity.hash).has_value()) << run;
  }

  sample::TemporaryFolder folder_;
  std::filesystem::path uri_;
  SplitRecord split_ = sample::split(1);
  std::vector<pid_t> children_;
};

TEST_F(PostgresLoad, FortyWorkersDoTwoHundredRunsOnceEach) {
  start(40, 60s);
  EXPECT_THAT(wait(), testing::Each(0));
  expect_all_done_once();
}

TEST_F(PostgresLoad, AServerThatIsStoppedAndStartedUnderLoadLosesNothing) {
  auto& server = PostgresServer::shared();
  start(8, 60s);
  for (const char* how : {"fast", "immediate"}) {
    const int before = std::stoi(count("runs"));
    wait_for_runs(before + 40);
    server.stop(how);
    std::this_thread::sleep_for(500ms);
    server.start();
  }
  EXPECT_THAT(wait(), testing::Each(0));
  expect_all_done_once();
  const auto lines = diaries();
  EXPECT_THAT(lines, testing::Contains(HasSubstr("tries again for 60 seconds")));
  EXPECT_THAT(lines, testing::Contains(HasSubstr("the server is back")));
}

TEST_F(PostgresLoad, WorkersGiveUpOnAServerThatStaysAwayAndSaySo) {
  auto& server = PostgresServer::shared();
  start(4, 1s);
  wait_for_runs(10);
  server.stop("immediate");
  EXPECT_THAT(wait(), testing::Each(1));
  server.start();
  const auto lines = diaries();
  EXPECT_THAT(lines, testing::Contains(testing::AllOf(testing::StartsWith("ended results store '"),
                                                      HasSubstr("tried for 1 seconds")))
                         .Times(4));
  // What had been recorded is whole.
  const RunStore store(uri_, OpenMode::read_only);
  EXPECT_EQ(std::stoi(count("predictions")), 2 * std::stoi(count("runs")));
  for (int run = 0; run < kLoadRuns; ++run)
    (void)store.load(run_of(run, split_).identity.hash);
}

TEST_F(PostgresLoad, AStoreThatTookThePlaceOfAnotherIsNotWrittenTo) {
  RunStore store(uri_);
  store.set_patience({10s, [](const std::string&) {}});
  sample::change_store(uri_, "UPDATE petlab_store SET id = gen_random_uuid()");
  sample::change_store(uri_,
                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE application_name = 'petlab' AND datname = current_database()");
  try {
    store.record(run_of(1, split_));
    FAIL() << "it was written to";
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("it is not the store any more that was opened at first"));
  }
}

}  // namespace
}  // namespace petlab::results
