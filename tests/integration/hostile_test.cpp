#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <thread>

// Plugins that mean harm, files that changed hands while a study ran. The plugin's work is in
// tests/plugins/hostile.cpp.
namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Hostile : public testing::Test {
 protected:
  /// A study whose first row is the hostile one, whose second one is sound.
  [[nodiscard]] Output run(const std::string& what, const std::vector<std::string>& more = {}) {
    return run_petlab(arguments(more), workshop_.folder(), environment(what));
  }

  [[nodiscard]] std::vector<std::string> arguments(const std::vector<std::string>& more) const {
    const std::string study = workshop_.write_study(
        "[row.hostile]\nmethod = fixture-hostile\nsharing = joint\n"
        "[row.sound]\nmethod = zero-shot\nsharing = joint\n",
        "epochs = 2\nbatch = 2\nwarmup-epochs = 0");
    std::vector<std::string> all = {"--seeds", "1",          "--threads",    "1",    "--workers",
                                    "1",       "--no-table", "--plugin-dir", kPlugin};
    all.insert(all.end(), more.begin(), more.end());
    return run_arguments(study, "a.sqlite", all);
  }

  [[nodiscard]] std::vector<std::string> environment(const std::string& what) const {
    const fs::path target = what == "leaves-a-daemon" ? workshop_.folder() / "daemon" : file();
    return {"PETLAB_TEST_HOSTILE=" + what, "PETLAB_TEST_FILE=" + target.string()};
  }

  [[nodiscard]] fs::path file() const { return workshop_.folder() / "a.sqlite"; }

  [[nodiscard]] std::vector<results::StudyRun> stored() const {
    return RunStore(file(), OpenMode::read_only).runs("small");
  }

  [[nodiscard]] std::vector<std::string> checkpoints() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(file().string() + ".checkpoints", none))
      if (entry.path().extension() == ".safetensors")
        names.push_back(entry.path().filename().string());
    return names;
  }

  const std::string kPlugin =
      (fs::path(PETLAB_BINARY_DIR) / "lib" / "petlab-test-plugins" / "hostile").string();
  Workshop workshop_;
};

TEST_F(Hostile, TheStoreDecidesWhatCameOfARun) {
  for (const char* what : {"says-done-and-ends", "says-failed-and-ends"}) {
    const Output output = run(what, {"--retry", "failed"});
    EXPECT_EQ(output.exit_code, 1) << what << output.out << output.err;
    EXPECT_THAT(output.out, Not(HasSubstr("100.0 %")));
    const auto runs = stored();
    EXPECT_EQ(runs.at(0).status, RunStatus::failed) << what;
    EXPECT_THAT(runs.at(0).error, HasSubstr("exit code 0 and without a result")) << what;
    EXPECT_EQ(runs.at(1).status, RunStatus::done);
  }
  const Output output = run("says-done-and-goes-on", {"--retry", "failed"});
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out, Not(HasSubstr("100.0 %")));
  EXPECT_EQ(stored().at(0).status, RunStatus::done);
}

TEST_F(Hostile, WhatAWorkerSaysIsShownAsPlainTextAndNotWithoutEnd) {
  const Output anything = run("says-anything");
  EXPECT_EQ(anything.exit_code, 0) << anything.out << anything.err;
  EXPECT_THAT(anything.out,
              AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\xff")), HasSubstr("\\x1B[2K")));
  fs::remove(file());
  const Output notes = run("floods-notes");
  EXPECT_EQ(notes.exit_code, 0) << notes.err;
  EXPECT_THAT(notes.out, HasSubstr("more than 100 notes"));
  EXPECT_LT(notes.out.size(), 20'000U);
}

/// Bytes of memory that a process holds.
std::int64_t resident(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6)) * 1024;
  return 0;
}

TEST_F(Hostile, ALineWithoutEndTakesNoMemoryOfTheProgram) {
  Program program(arguments({}), workshop_.folder(), environment("floods-a-line"));
  ASSERT_GT(program.wait_for_child(0.0), 0);
  const std::int64_t before = resident(program.pid());
  std::int64_t most = before;
  while (state_of(program.pid()) != "Z") {
    most = std::max(most, resident(program.pid()));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(program.wait().exit_code, 0);
  EXPECT_GT(before, 0);
  EXPECT_LT(most - before, std::int64_t{64} << 20) << "300 MB were sent";
  EXPECT_EQ(stored().at(0).status, RunStatus::done);
}

TEST_F(Hostile, AnErrorOfAnyBytesIsOneBoundedLineEverywhere) {
  const Output output = run("throws-anything");
  EXPECT_EQ(output.exit_code, 1);
  const std::string error = stored().at(0).error;
  EXPECT_LT(error.size(), 3000U);
  EXPECT_THAT(error, AllOf(HasSubstr("bad \\xFF\\xFE\\x1B[31m"), HasSubstr("second line AAAA"),
                           HasSubstr("more bytes")));
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"report", "--store", "a.sqlite"},
        {"plan", (workshop_.folder() / "study.ini").string(), "--store", "a.sqlite", "--plugin-dir",
         kPlugin}}) {
    const Output shown = run_petlab(command, workshop_.folder());
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_THAT(shown.out, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\xff"))));
    EXPECT_LT(shown.out.size(), 20'000U);
  }
}

TEST_F(Hostile, ADaemonThatAPluginLeavesBehindIsEnded) {
  const Output output = run("leaves-a-daemon");
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  pid_t daemon = 0;
  std::ifstream(workshop_.folder() / "daemon") >> daemon;
  ASSERT_GT(daemon, 1);
  EXPECT_EQ(state_of(daemon), "X");
}

TEST_F(Hostile, MemoryOfChildrenCounts) {
  const Output output = run("hoards-in-a-child", {"--memory-limit", "1.5G", "--run-timeout", "60"});
  EXPECT_EQ(output.exit_code, 1) << output.out << output.err;
  EXPECT_THAT(stored().at(0).error, HasSubstr("more memory than the limit of 1536 MiB"));
  EXPECT_EQ(stored().at(1).status, RunStatus::done);
}

TEST_F(Hostile, AStoreThatGoesAwayWhileARunTrainsIsAnErrorAndTheCheckpointStays) {
  for (const char* what : {"removes-the-file", "replaces-the-file"}) {
    fs::remove(file());
    const Output output = run(what, {"--checkpoint", "0"});
    EXPECT_EQ(output.exit_code, 5) << what << output.out << output.err;
    EXPECT_THAT(output.err, AllOf(HasSubstr("a.sqlite"), HasSubstr("meanwhile")));
    EXPECT_THAT(output.out, Not(HasSubstr("accuracy"))) << "nothing was stored";
    EXPECT_EQ(checkpoints().size(), 1U) << what;
    EXPECT_EQ(fs::exists(file()), std::string(what) == "replaces-the-file");
    for (const std::string& name : checkpoints())
      fs::remove(file().string() + ".checkpoints/" + name);
  }
}

TEST_F(Hostile, ALogThatCannotBeKeptIsOneFailedRow) {
  fs::create_directories(workshop_.folder() / "logs" / "small" / "hostile.seed1.log" / "full");
  const Output output = run("");
  EXPECT_EQ(output.exit_code, 1) << output.out << output.err;
  EXPECT_THAT(stored().at(0).error, HasSubstr("hostile.seed1.log"));
  EXPECT_EQ(stored().at(1).status, RunStatus::done);
}

TEST_F(Hostile, LogsFollowNoLinks) {
  const fs::path precious = workshop_.folder() / "precious";
  std::ofstream(precious) << "kept\n";
  const fs::path logs = workshop_.folder() / "logs" / "small";
  fs::create_directories(logs);
  fs::create_symlink(precious, logs / "hostile.seed1.log");
  fs::create_hard_link(precious, logs / "sound.seed1.log");
  EXPECT_EQ(run("").exit_code, 0);
  std::string text;
  std::getline(std::ifstream(precious), text);
  EXPECT_EQ(text, "kept");
}

}  // namespace
}  // namespace petlab::tests
