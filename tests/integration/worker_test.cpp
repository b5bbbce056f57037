#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"
#include "stored_results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

// `petlab submit --orders-only`, `petlab worker`, `petlab collect`: what any scheduler calls.
namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kWorkerRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.vpt]\nmethod = vpt-deep\nsharing = joint\n";
/// Some seconds of training, so that it can be stopped in the midst.
constexpr const char* kCroppedTraining = "epochs = 400\nbatch = 2\naugmentation = crop-flip";

/// Without folders: a shard has one beside it, with its adapters.
std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code none;
  for (fs::directory_iterator entry(folder, none), end; !none && entry != end; ++entry)
    if (entry->is_regular_file()) files.push_back(entry->path());
  return files;
}

class WorkerTest : public testing::Test {
 protected:
  Workshop workshop_;
  const fs::path jobs_ = workshop_.folder() / "a.sqlite.jobs" / "1";

  /// Writes orders for the study into a.sqlite.jobs.
  Output order(const std::string& study, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"submit",      study,   "--store",         "a.sqlite",
                                          "--cache-dir", "cache", "--orders-only",   "--threads",
                                          "1",           "--set", "study.name=small"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Output output = run_petlab(arguments, workshop_.folder());
    EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
    return output;
  }

  std::vector<std::string> worker_arguments(int index,
                                            const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"worker", "a.sqlite.jobs/1", std::to_string(index)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  Output work(int index, const std::vector<std::string>& more = {}) const {
    return run_petlab(worker_arguments(index, more), workshop_.folder());
  }

  Output collect() const {
    return run_petlab({"collect", "--store", "a.sqlite"}, workshop_.folder());
  }

  /// The study in one piece, in whole.sqlite.
  void run_undisturbed(const std::string& study, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"--threads", "1", "--no-table"};
    all.insert(all.end(), more.begin(), more.end());
    const Output whole = run_petlab(run_arguments(study, "whole.sqlite", all), workshop_.folder());
    ASSERT_EQ(whole.exit_code, 0) << whole.out << whole.err;
  }

  std::vector<fs::path> checkpoints() const {
    return files_in(workshop_.folder() / "a.sqlite.checkpoints");
  }
};

TEST_F(WorkerTest, OrdersUnderXargsGiveTheBitsOfAnUndisturbedStudy) {
  const std::string study = workshop_.write_study(kWorkerRows);
  run_undisturbed(study);
  EXPECT_THAT(order(study).out, AllOf(HasSubstr("4 to submit"), HasSubstr("orders 0 to 3")));
  const std::string line = "cd '" + workshop_.folder().string() +
                           "' && seq 0 3 | xargs -P 2 -I{} '" PETLAB_BINARY_DIR
                           "/bin/petlab' worker a.sqlite.jobs/1 {} > printed 2>&1";
  EXPECT_EQ(std::system(line.c_str()), 0) << text_of(workshop_.folder() / "printed");
  EXPECT_THAT(files_in(jobs_ / "spool"), SizeIs(4))
      << "shards alone, nothing of SQLite beside them";
  {
    const RunStore store(workshop_.folder() / "a.sqlite", OpenMode::read_only);
    EXPECT_FALSE(store.runs("small").at(0).status.has_value()) << "not collected yet";
  }
  const Output plan = run_petlab({"plan", study, "--store", "a.sqlite"}, workshop_.folder());
  EXPECT_THAT(plan.out, HasSubstr("4 runs: 0 done"));

  const Output collected = collect();
  EXPECT_EQ(collected.exit_code, 0) << collected.err;
  EXPECT_THAT(collected.out, HasSubstr("4 runs added, 0 in place of a failed one, 0 were there"));
  EXPECT_EQ(stored_results(workshop_.folder() / "a.sqlite"),
            stored_results(workshop_.folder() / "whole.sqlite"));
  EXPECT_TRUE(fs::is_empty(jobs_ / "spool")) << "adapters are collected with their runs";
  EXPECT_THAT(files_in(jobs_ / "spool"), IsEmpty());
  EXPECT_THAT(checkpoints(), IsEmpty());
  EXPECT_THAT(collect().out, HasSubstr("nothing to collect"));
  EXPECT_EQ(run_petlab({"check", "a.sqlite"}, workshop_.folder()).exit_code, 0);

  // What is there is ordered by nobody, and computed by no late worker.
  EXPECT_THAT(order(study).out, HasSubstr("4 done, 0 failed before, 0 queued or running, 0 to"));
  EXPECT_EQ(work(2).exit_code, 0);
  EXPECT_THAT(files_in(jobs_ / "spool"), IsEmpty());
}

TEST_F(WorkerTest, StoppedItKeepsACheckpointAndTheNextCallGoesOnWithTheSameBits) {
  const std::string study = workshop_.write_study(kVptRow, kCroppedTraining);
  run_undisturbed(study, {"--seeds", "1"});
  // No checkpoint is due while the run lasts: the one that is there was written because of TERM.
  order(study, {"--seeds", "1", "--checkpoint", "3600"});
  int stops = 0;
  for (; stops < 2; ++stops) {
    Program worker(worker_arguments(0), workshop_.folder());
    ASSERT_GT(worker.wait_for_child(/*seconds=*/0.0), 0);
    const fs::path progress = jobs_ / "state";
    const auto is_training = [&] {
      for (const fs::path& file : files_in(progress))
        if (text_of(file).find(" train ") != std::string::npos) return true;
      return false;
    };
    for (int i = 0; i < 3000 && !is_training(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ::kill(worker.pid(), stops == 0 ? SIGTERM : SIGINT);
    const Output stopped = worker.wait();
    ASSERT_EQ(stopped.exit_code, 75) << stopped.out << stopped.err;
    EXPECT_THAT(checkpoints(), SizeIs(1));
    EXPECT_THAT(files_in(jobs_ / "spool"), IsEmpty());
    for (const fs::path& file : files_in(progress))
      fs::remove(file);
  }
  const Output whole = work(0);
  ASSERT_EQ(whole.exit_code, 0) << whole.out << whole.err;
  EXPECT_THAT(whole.out, HasSubstr("resumes from epoch"));
  EXPECT_THAT(checkpoints(), IsEmpty()) << "its result is published";
  EXPECT_EQ(collect().exit_code, 0);
  const RunStore store(workshop_.folder() / "a.sqlite", OpenMode::read_only);
  const results::RunRecord run = store.load(store.runs("small").at(0).plan.hash).value();
  EXPECT_EQ(run.resumed, stops);
  EXPECT_EQ(stored_results(workshop_.folder() / "a.sqlite"),
            stored_results(workshop_.folder() / "whole.sqlite"));
}

TEST_F(WorkerTest, WhatCannotBeUsedIsNamedAndNothingIsPublished) {
  order(workshop_.write_study(kWorkerRows));
  for (const char* index : {"4", "99999999999999999999", "-1", "x", ""}) {
    const Output output = run_petlab({"worker", "a.sqlite.jobs/1", index}, workshop_.folder());
    EXPECT_EQ(output.exit_code, 2) << index << output.err;
  }
  EXPECT_THAT(work(4).err, HasSubstr("has no order 4, its orders are 0 to 3"));
  const Output absent = run_petlab({"worker", "nowhere", "0"}, workshop_.folder());
  EXPECT_EQ(absent.exit_code, 5);
  EXPECT_THAT(absent.err, AllOf(HasSubstr("order folder"), HasSubstr("nowhere")));
  const Output no_temporary =
      run_petlab(worker_arguments(0), workshop_.folder(), {"TMPDIR=/nowhere/at/all"});
  EXPECT_EQ(no_temporary.exit_code, 5);
  EXPECT_THAT(no_temporary.err, HasSubstr("TMPDIR"));

  // Of another build: what this one computes would be another run's.
  const std::string orders = text_of(jobs_ / "orders.jsonl");
  std::string others = orders;
  const auto at = others.find("\"host.sources\",\"") + 16;
  ASSERT_GT(at, 16U);
  for (const std::size_t i : {at, at + 1})
    others[i] = others[i] == '0' ? '1' : '0';
  std::ofstream(jobs_ / "orders.jsonl") << others;
  const Output other = work(0);
  EXPECT_EQ(other.exit_code, 5);
  EXPECT_THAT(other.err, AllOf(HasSubstr("another petlab"), HasSubstr("host.sources")));
  std::ofstream(jobs_ / "orders.jsonl") << orders.substr(0, 1000);
  EXPECT_EQ(work(0).exit_code, 5);
  EXPECT_EQ(work(3).exit_code, 5);
  std::ofstream(jobs_ / "orders.jsonl") << orders;
  std::ofstream(jobs_ / "runs") << "what is this\n";
  EXPECT_EQ(work(0).exit_code, 5);
  EXPECT_THAT(files_in(jobs_ / "spool"), IsEmpty());
}

TEST_F(WorkerTest, ARunThatTwoHostsPublishIsThereOnce) {
  order(workshop_.write_study(kWorkerRows));
  ASSERT_EQ(work(0).exit_code, 0);
  const std::vector<fs::path> shards = files_in(jobs_ / "spool");
  ASSERT_THAT(shards, SizeIs(1));
  const std::string name = shards[0].filename().string();
  const fs::path twin = jobs_ / "spool" / (name.substr(0, 64) + ".elsewhere-1-a.sqlite");
  fs::copy_file(shards[0], twin);
  EXPECT_THAT(collect().out, HasSubstr("1 run added, 0 in place of a failed one, 1 were there"));
  // And one that comes when all is over.
  EXPECT_THAT(files_in(jobs_ / "spool"), IsEmpty());
  EXPECT_EQ(work(0).exit_code, 0);
  const RunStore store(workshop_.folder() / "a.sqlite", OpenMode::read_only);
  EXPECT_EQ(store.runs("small").at(0).status, RunStatus::done);
  EXPECT_EQ(store.runs("small").at(0).attempts, 1);
}

TEST_F(WorkerTest, AResultHoldsTheSplitOfItsRunAlone) {
  order(workshop_.write_study(kVptRow));  // seeds 1 and 2
  ASSERT_EQ(work(0).exit_code, 0);
  ASSERT_EQ(work(1).exit_code, 0);
  const std::vector<fs::path> shards = files_in(jobs_ / "spool");
  ASSERT_THAT(shards, SizeIs(2));
  for (const std::size_t i : {0U, 1U}) {
    const RunStore mine(shards[i], OpenMode::read_only), other(shards[1 - i], OpenMode::read_only);
    const auto run = mine.load(shards[i].filename().string().substr(0, 64));
    ASSERT_TRUE(run.has_value());
    EXPECT_TRUE(mine.split(run->split_hash).has_value());
    EXPECT_FALSE(other.split(run->split_hash).has_value());
  }
}

TEST_F(WorkerTest, AResultThatIsDamagedIsSetAsideAndTheOthersAreCollected) {
  order(workshop_.write_study(kWorkerRows));
  ASSERT_EQ(work(0).exit_code, 0);
  ASSERT_EQ(work(1).exit_code, 0);
  const std::vector<fs::path> shards = files_in(jobs_ / "spool");
  ASSERT_THAT(shards, SizeIs(2));
  fs::resize_file(shards[0], fs::file_size(shards[0]) / 2);
  const std::string other = shards[1].filename().string();
  std::ofstream(jobs_ / "spool" / (std::string(64, 'a') + ".x.sqlite")) << "no database";
  const Output output = collect();
  EXPECT_EQ(output.exit_code, 5);
  EXPECT_THAT(output.out, HasSubstr("1 run added"));
  EXPECT_THAT(output.err, AllOf(HasSubstr(shards[0].filename().string()), HasSubstr("set aside"),
                                HasSubstr("has no order of that run")));
  EXPECT_TRUE(fs::exists(shards[0].string() + ".unusable"));
  // Its run counts as not computed.
  const int damaged =
      shards[0].filename().string().substr(0, 64) == text_of(jobs_ / "runs").substr(0, 64) ? 0 : 1;
  EXPECT_EQ(work(damaged).exit_code, 0);
  EXPECT_THAT(collect().out, HasSubstr("1 run added"));
}

TEST_F(WorkerTest, WhatIsNoFileInTheSpoolIsSetAsideAndTheOthersAreCollected) {
  order(workshop_.write_study(kWorkerRows));
  ASSERT_EQ(work(0).exit_code, 0);
  const fs::path spool = jobs_ / "spool";
  const fs::path shard = files_in(spool).at(0);
  const auto named = [&](char digit) { return spool / (std::string(64, digit) + ".x.sqlite"); };
  fs::create_directory(named('0'));  // before all results by name
  fs::create_symlink(shard, named('a'));
  ASSERT_EQ(::mkfifo(named('b').c_str(), 0600), 0);
  const Output output = collect();
  EXPECT_EQ(output.exit_code, 5) << output.out << output.err;
  EXPECT_THAT(output.out, HasSubstr("1 run added"));
  EXPECT_THAT(output.err, AllOf(HasSubstr("is a folder, expected a file"),
                                HasSubstr("is a symbolic link, expected a file"),
                                HasSubstr("is a pipe, a socket or a device, expected a file")));
  for (const char digit : {'0', 'a', 'b'})
    EXPECT_TRUE(fs::is_symlink(named(digit).string() + ".unusable") ||
                fs::exists(named(digit).string() + ".unusable"))
        << digit;
  EXPECT_EQ(collect().exit_code, 0) << "it is said once";
}

TEST_F(WorkerTest, AnOrderThatDoesNotGiveItsIdentityIsRefused) {
  order(workshop_.write_study(kWorkerRows), {"--seeds", "1"});
  const std::string orders = text_of(jobs_ / "orders.jsonl");
  const auto refusal = [&](const std::vector<std::pair<std::string, std::string>>& changes) {
    std::string changed = orders;
    for (const auto& [from, to] : changes) {
      EXPECT_EQ(from.size(), to.size()) << "lines have one length";
      EXPECT_NE(changed.find(from), std::string::npos) << from;
      for (auto at = changed.find(from); at != std::string::npos; at = changed.find(from, at + 1))
        changed.replace(at, from.size(), to);
    }
    std::ofstream(jobs_ / "orders.jsonl") << changed;
    const Output output = work(0);
    EXPECT_EQ(output.exit_code, 5) << output.out;
    return output.err;
  };
  const std::pair<std::string, std::string> seed = {"\"seed\":1,", "\"seed\":5,"};
  EXPECT_THAT(refusal({seed}),
              AllOf(HasSubstr("the order of run"), HasSubstr("seed is '5', in its identity '1'")));
  EXPECT_THAT(refusal({{"\"train.epochs\":\"2\"", "\"train.epochs\":\"7\""}}),
              HasSubstr("train.epochs is '7', in its identity '2'"));
  EXPECT_THAT(refusal({{"\"train.precision\":\"fp32\"", "\"train.precision\":\"bf16\""}}),
              HasSubstr("train.precision is 'bf16', in its identity 'fp32'"));
  EXPECT_THAT(refusal({seed, {"[\"seed\",\"1\"]", "[\"seed\",\"5\"]"}}),
              HasSubstr("the parts of its identity are others"));
  EXPECT_THAT(files_in(jobs_ / "spool"), IsEmpty());
  std::ofstream(jobs_ / "orders.jsonl") << orders;
  EXPECT_EQ(work(0).exit_code, 0);
}

TEST_F(WorkerTest, AFailedRunIsPublishedWithItsReasonAndOneOfTheHostIsTriedAgain) {
  const fs::path throws =
      fs::path(PETLAB_BINARY_DIR) / "lib" / "petlab-test-plugins" / "throws_in_changes";
  order(workshop_.write_study("[row.broken]\nmethod = fixture-throws-in-changes\nsharing = joint\n"
                              "[row.vpt]\nmethod = vpt-deep\nsharing = joint\n",
                              "epochs = 300\nbatch = 2"),
        {"--seeds", "1", "--plugin-dir", throws.string()});
  const Output broken = work(0);
  EXPECT_EQ(broken.exit_code, 1) << broken.out << broken.err;
  // Too little memory here says nothing of another host; three times is enough.
  EXPECT_EQ(work(1, {"--memory-limit", "1M"}).exit_code, 75);
  EXPECT_EQ(work(1, {"--memory-limit", "1M"}).exit_code, 75);
  EXPECT_THAT(files_in(jobs_ / "spool"), SizeIs(1));
  EXPECT_EQ(work(1, {"--memory-limit", "1M"}).exit_code, 1);
  EXPECT_EQ(collect().exit_code, 0);
  const RunStore store(workshop_.folder() / "a.sqlite", OpenMode::read_only);
  const auto runs = store.runs("small");
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].status, RunStatus::failed);
  EXPECT_EQ(runs[0].error_kind, "plugin");
  EXPECT_EQ(runs[1].error_kind, "device");
  EXPECT_THAT(runs[1].error, HasSubstr("more memory than the limit"));
}

TEST_F(WorkerTest, ASpoolThatIsAwayCostsNoTraining) {
  const std::string study = workshop_.write_study(kVptRow, kCroppedTraining);
  order(study, {"--seeds", "1", "--checkpoint", "0.05"});
  {
    Program worker(worker_arguments(0, {"--patience", "1"}), workshop_.folder());
    ASSERT_GT(worker.wait_for_child(/*seconds=*/0.3), 0);
    fs::rename(jobs_ / "spool", jobs_ / "away");
    const Output output = worker.wait();
    EXPECT_EQ(output.exit_code, 5) << output.out << output.err;
    EXPECT_THAT(output.out, HasSubstr("waits for the spool"));
    EXPECT_THAT(output.err, HasSubstr("cannot be published"));
  }
  EXPECT_THAT(checkpoints(), SizeIs(1)) << "the next call goes on from there";
  fs::rename(jobs_ / "away", jobs_ / "spool");
  const Output again = work(0);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("resumes from epoch"));
  EXPECT_THAT(collect().out, HasSubstr("1 run added"));
}

TEST_F(WorkerTest, ASpoolThatIsFullIsWaitedFor) {
  const std::string mounted = "unshare -rm true 2> /dev/null";
  if (std::system(mounted.c_str()) != 0) GTEST_SKIP() << "no name spaces here to fill a disk in";
  order(workshop_.write_study(kWorkerRows));
  const auto run = [&](const std::string& size) {
    const std::string line = "cd '" + workshop_.folder().string() +
                             "' && unshare -rm bash -c \"mount -t tmpfs -o size=" + size +
                             " none a.sqlite.jobs/1/spool && '" PETLAB_BINARY_DIR
                             "/bin/petlab' worker a.sqlite.jobs/1 0 --patience 1\" > printed 2>&1";
    const int status = std::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  EXPECT_EQ(run("4k"), 5);
  EXPECT_THAT(text_of(workshop_.folder() / "printed"),
              AllOf(HasSubstr("waits for the spool"), HasSubstr("No space left")));
  EXPECT_EQ(run("64m"), 0) << text_of(workshop_.folder() / "printed");
}

}  // namespace
}  // namespace petlab::tests
