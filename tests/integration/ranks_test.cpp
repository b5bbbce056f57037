#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"
#include "stored_results.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

// Noise in the towers, an adapter a task, a grouping, a copy of all weights.
constexpr const char* kRows =
    "[row.lora]\nmethod = lora\nsharing = joint\n"
    "[row.mmap]\nmethod = mmap\nsharing = grouped+specific\ngrouping = gradient\noption.b = 4\n"
    "[row.full]\nmethod = full-fine-tuning\nsharing = per-task\noptimizer = adamw\n";
constexpr const char* kTraining = "epochs = 3\nbatch = 4\nslices = 4\naugmentation = crop-flip";

std::vector<std::string> arguments(const std::string& study, const std::string& store,
                                   const std::vector<std::string>& more = {}) {
  std::vector<std::string> result = {
      "run",          study, "--store",    store,   "--cache-dir",      "cache",     "--seeds", "1",
      "--checkpoint", "0",   "--no-table", "--set", "study.name=small", "--workers", "1"};
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

/// What one process makes of the study: computed once for all tests.
const std::map<std::string, StoredResult>& expected() {
  static const auto results = [] {
    const Workshop workshop;
    const Output output = run_petlab(arguments(workshop.write_study(kRows, kTraining), "a.sqlite"),
                                     workshop.folder());
    EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
    return stored_results(workshop.folder() / "a.sqlite");
  }();
  return results;
}

std::string free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  EXPECT_EQ(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), length), 0);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(descriptor);
  return std::to_string(ntohs(address.sin_port));
}

std::vector<std::string> place(int rank, int size, const std::string& port) {
  return {"RANK=" + std::to_string(rank), "WORLD_SIZE=" + std::to_string(size),
          "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + port};
}

/// Waits until the program has so many children; empty when it ended before.
std::vector<pid_t> wait_for_children(const Program& program, std::size_t count) {
  for (int i = 0; i < 3000; ++i) {
    const std::vector<pid_t> children = program.children();
    if (children.size() == count) return children;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

/// Waits until a run of the store has a checkpoint.
bool wait_for_checkpoint(const fs::path& store) {
  for (int i = 0; i < 3000; ++i) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(store.string() + ".checkpoints", none))
      if (entry.path().extension() == ".safetensors") return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST(Ranks, ChangeNoBit) {
  ASSERT_EQ(expected().size(), 3U);
  for (const std::string ranks : {"2", "4"}) {
    const Workshop workshop;
    const Output output = run_petlab(
        arguments(workshop.write_study(kRows, kTraining), "a.sqlite", {"--ranks", ranks}),
        workshop.folder());
    ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
    EXPECT_THAT(output.out, HasSubstr(ranks + " ranks a run"));
    EXPECT_EQ(stored_results(workshop.folder() / "a.sqlite"), expected()) << ranks << " ranks";
    // Rank 0 alone writes: one attempt a run, one file of adapters, no checkpoint left.
    const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
    for (const results::StudyRun& run : store.runs("small"))
      EXPECT_EQ(run.attempts, 1);
    const auto adapters = fs::directory_iterator(workshop.folder() / "a.sqlite.adapters");
    EXPECT_EQ(std::distance(begin(adapters), end(adapters)), 3);
    EXPECT_TRUE(fs::is_empty(workshop.folder() / "a.sqlite.checkpoints"));
  }
}

TEST(Ranks, ADeadRankEndsAllAndTheRunGoesOnWithAnotherNumberOfThem) {
  const Workshop workshop;
  const std::string study =
      workshop.write_study("[row.lora]\nmethod = lora\nsharing = joint\n",
                           "epochs = 60\nbatch = 4\nslices = 4\naugmentation = crop-flip");
  const Output whole = run_petlab(arguments(study, "whole.sqlite"), workshop.folder());
  ASSERT_EQ(whole.exit_code, 0) << whole.err;

  // Rank 0 is the one that writes, rank 1 the one that does not.
  for (const std::size_t victim : {0U, 1U}) {
    const std::string name = "killed" + std::to_string(victim) + ".sqlite";
    const fs::path store = workshop.folder() / name;
    Program program(arguments(study, name, {"--ranks", "2"}), workshop.folder());
    ASSERT_EQ(wait_for_children(program, 2).size(), 2U);
    ASSERT_TRUE(wait_for_checkpoint(store));
    const std::vector<pid_t> ranks = program.children();
    ASSERT_EQ(ranks.size(), 2U);
    const auto begin = Clock::now();
    ASSERT_EQ(::kill(ranks[victim], SIGKILL), 0);
    const Output killed = program.wait();
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(8));
    ASSERT_EQ(killed.exit_code, 75) << killed.out << killed.err;
    EXPECT_THAT(killed.out + killed.err,
                AllOf(HasSubstr("rank " + std::to_string(victim) + " of 2"), HasSubstr("SIGKILL"),
                      HasSubstr("Repeat the command to resume")));
    {
      const RunStore left(store, OpenMode::read_only);
      EXPECT_EQ(left.runs("small").at(0).attempts, 0);  // no failed run
    }
    const std::string more = victim == 0 ? "4" : "1";
    const Output resumed = run_petlab(arguments(study, name, {"--ranks", more}), workshop.folder());
    ASSERT_EQ(resumed.exit_code, 0) << resumed.out << resumed.err;
    EXPECT_EQ(stored_results(store), stored_results(workshop.folder() / "whole.sqlite"));
    const RunStore done(store, OpenMode::read_only);
    const auto run = done.runs("small").at(0);
    EXPECT_EQ(done.load(run.plan.hash, results::LoadDetail::without_predictions)->resumed, 1);
  }
}

TEST(Ranks, AreStartedByTorchrunToo) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kRows, kTraining);
  std::string command = "cd '" + workshop.folder().string() +
                        "' && '" PETLAB_REFERENCE_PYTHON
                        "' -m torch.distributed.run --no-python --standalone --nproc-per-node 2 "
                        "'" PETLAB_PROGRAM "'";
  for (const std::string& argument : arguments(study, "a.sqlite"))
    command += " '" + argument + "'";
  const int status = std::system((command + " >log 2>&1").c_str());
  std::ifstream log(workshop.folder() / "log");
  ASSERT_EQ(status, 0) << std::string{std::istreambuf_iterator<char>(log), {}};
  EXPECT_EQ(stored_results(workshop.folder() / "a.sqlite"), expected());
}

// As srun starts them, with variables that a line of shell makes of its own.
TEST(Ranks, AreStartedByTheirVariablesToo) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kRows, kTraining);
  const std::string port = free_port();
  Program second(arguments(study, "a.sqlite"), workshop.folder(), place(1, 2, port));
  Program first(arguments(study, "a.sqlite"), workshop.folder(), place(0, 2, port));
  const Output output = first.wait();
  ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  const Output other = second.wait();
  EXPECT_EQ(other.exit_code, 0) << other.out << other.err;
  EXPECT_EQ(other.out, "");
  EXPECT_EQ(stored_results(workshop.folder() / "a.sqlite"), expected());
}

TEST(Ranks, WhoseProgramDiesTakesTheOthersWithIt) {
  const Workshop workshop;
  const std::string study = workshop.write_study("[row.lora]\nmethod = lora\nsharing = joint\n",
                                                 "epochs = 2000\nbatch = 4\nslices = 2");
  const std::string port = free_port();
  Program second(arguments(study, "a.sqlite"), workshop.folder(), place(1, 2, port));
  Program first(arguments(study, "a.sqlite"), workshop.folder(), place(0, 2, port));
  ASSERT_TRUE(wait_for_checkpoint(workshop.folder() / "a.sqlite"));
  const auto begin = Clock::now();
  ASSERT_EQ(::kill(second.pid(), SIGKILL), 0);
  const Output output = first.wait();
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(8));
  EXPECT_EQ(output.exit_code, 75) << output.out << output.err;
}

TEST(Ranks, WhatCannotBeSharedOutIsRefusedBeforeAnyWork) {
  const Workshop workshop;
  const auto refusal = [&](const std::string& train, const std::vector<std::string>& more,
                           const std::vector<std::string>& environment = {}) {
    const std::string study =
        workshop.write_study("[row.lora]\nmethod = lora\nsharing = joint\n", train);
    const Output output =
        run_petlab(arguments(study, "a.sqlite", more), workshop.folder(), environment);
    EXPECT_EQ(output.exit_code, 2) << output.out;
    EXPECT_FALSE(fs::exists(workshop.folder() / "a.sqlite"));
    return output.err;
  };
  EXPECT_THAT(refusal("batch = 4\nslices = 2", {"--ranks", "3"}),
              HasSubstr("there are 3 ranks, but train.slices of study 'small' is 2, expected at "
                        "least one slice for each rank: --set train.slices=3"));
  EXPECT_THAT(refusal("batch = 2\nslices = 3", {}),
              AllOf(HasSubstr("study.ini:"), HasSubstr("'train.slices' is '3', but batch is 2")));
  EXPECT_THAT(refusal("batch = 2\nslices = 0", {}), HasSubstr("expected an integer >= 1"));
  EXPECT_THAT(refusal("batch = 4\nslices = 2", {}, {"WORLD_SIZE=2", "MASTER_PORT=1"}),
              HasSubstr("WORLD_SIZE is '2', but RANK is not set, expected an integer from 0 to 1"));
  EXPECT_THAT(refusal("batch = 4\nslices = 2", {"--ranks", "3"}, place(0, 2, free_port())),
              HasSubstr("--ranks is 3, but WORLD_SIZE is 2"));
}

}  // namespace
}  // namespace petlab::tests
