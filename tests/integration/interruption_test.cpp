#include "petlab/datasets/image.hpp"
#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

// What becomes of a command that is stopped, that cannot say what it has to say, that is given
// absurd numbers, or whose store somebody else keeps a hand on.
namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTwoRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.alone]\nmethod = zero-shot\nsharing = per-task\n";

/// The exit code of a shell line in which P is the program.
int shell(const std::string& line, const fs::path& folder) {
  const std::string command =
      "cd '" + folder.string() + "' && P=" PETLAB_BINARY_DIR "/bin/petlab; " + line;
  const int status = std::system(("bash -c \"" + command + "\"").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(Output, ThatCannotBeWrittenIsAnErrorOfEveryCommand) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kTwoRows);
  ASSERT_EQ(run_petlab(run_arguments(study, "a.sqlite"), workshop.folder()).exit_code, 0);
  for (const std::string command :
       {"--help", "--version", "run --help", "plugins", "describe mmap", "describe --keys",
        "datasets list", "plan study.ini --store a.sqlite", "report --store a.sqlite",
        "compare zero-shot alone --store a.sqlite", "export --store a.sqlite --out csv",
        "check a.sqlite", "clean --store a.sqlite", "merge b.sqlite a.sqlite", "clip info clip",
        "run study.ini --store a.sqlite --cache-dir cache"}) {
    EXPECT_EQ(shell("\\$P " + command + " > /dev/full 2> err", workshop.folder()), 74) << command;
    EXPECT_THAT(
        text_of(workshop.folder() / "err"),
        AllOf(HasSubstr("standard output could not be written"), HasSubstr("No space left")))
        << command;
    // A reader that goes away, and a descriptor that is none.
    EXPECT_EQ(shell("\\$P " + command + " 2> err >&-", workshop.folder()), 74) << command;
  }
  EXPECT_EQ(
      shell("(sleep 0.5; \\$P describe --keys 2> err; echo \\$? > code) | true", workshop.folder()),
      0);
  for (int i = 0; i < 300 && text_of(workshop.folder() / "code").empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(text_of(workshop.folder() / "code"), "74\n");
  EXPECT_THAT(text_of(workshop.folder() / "err"), HasSubstr("Broken pipe"));
}

TEST(Interruption, IsHeardAtOnceWhilePicturesAreDecodedAndWhatIsDecodedStays) {
  const Workshop workshop;
  // Large enough that decoding all of them takes seconds.
  datasets::Image image{1600, 1200, std::vector<std::uint8_t>(3 * 1600 * 1200)};
  for (std::size_t i = 0; i < image.rgb.size(); ++i)
    image.rgb[i] = static_cast<std::uint8_t>(i * i / 4096);
  const auto bytes = datasets::encode_jpeg(image, 95);
  for (const char* kind : {"mug", "bed"})
    for (int i = 0; i < 120; ++i) {
      const fs::path folder = workshop.folder() / "many" / "Art" / kind;
      fs::create_directories(folder);
      std::ofstream out(folder / (std::to_string(i) + ".jpg"), std::ios::binary);
      out.write(reinterpret_cast<const char*>(bytes.data()),
                static_cast<std::streamsize>(bytes.size()));
      out << i << kind;  // behind the picture's end: other bytes, the same pixels
    }
  const std::string study = workshop.write_study(kZeroShotRow);
  const auto arguments =
      run_arguments(study, "a.sqlite", {"--root", "many", "--seeds", "1", "--threads", "1"});
  const auto draft = [&] {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(workshop.folder() / "cache", none))
      if (entry.path().extension() == ".tmp") return entry.path();
    return fs::path();
  };
  for (const int signal : {SIGINT, SIGTERM}) {
    fs::remove_all(workshop.folder() / "cache");
    Program program(arguments, workshop.folder());
    while (draft().empty() && state_of(program.pid()) != "Z")
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const auto begin = std::chrono::steady_clock::now();
    ::kill(program.pid(), signal);
    const Output output = program.wait();
    EXPECT_EQ(output.exit_code, 130) << output.out << output.err;
    EXPECT_THAT(output.err, HasSubstr("decoded images are kept"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
    EXPECT_TRUE(fs::exists(draft())) << "what was decoded is gone";
  }
  const Output whole = run_petlab(arguments, workshop.folder());
  EXPECT_EQ(whole.exit_code, 0) << whole.err;
}

TEST(Numbers, ThatNoMachineHasAreRefused) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kZeroShotRow);
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--threads", "100000"}, "--threads is 100000, expected at least 1 and at most"},
      {{"--workers", "100000"}, "--workers is 100000, expected at least 1 and at most"},
      {{"--batch", "4611686018427387904"}, "expected an integer >= 1 and <="},
      {{"--epochs", "4611686018427387904"}, "expected an integer >= 1 and <="},
      {{"--lease", "2000000000"}, "--lease is 2000000000, expected at least 1 and at most"},
      {{"--run-timeout", "2000000000"}, "--run-timeout is 2000000000"},
      {{"--checkpoint", "1e300"}, "--checkpoint is 1e+300"},
      {{"--checkpoint", "nan"}, "--checkpoint is nan"},
  };
  for (const auto& [more, message] : cases) {
    std::vector<std::string> arguments = {"run", study, "--store", "a.sqlite"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Output output = run_petlab(arguments, workshop.folder());
    EXPECT_EQ(output.exit_code, 2) << message << output.err;
    EXPECT_THAT(output.err, HasSubstr(message));
  }
  EXPECT_FALSE(fs::exists(workshop.folder() / "a.sqlite"));
}

TEST(Environment, AVariableThatIsNearlyAnOptionIsNamed) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kZeroShotRow);
  const auto plan = [&](const std::string& variable) {
    return run_petlab({"plan", study}, workshop.folder(), {variable});
  };
  for (const char* typo : {"PETLAB_EPOCH", "PETLAB_SEED", "PETLAB_TREADS", "PETLAB_BACKBON"}) {
    const Output output = plan(std::string(typo) + "=7");
    EXPECT_EQ(output.exit_code, 2) << typo;
    EXPECT_THAT(output.err, AllOf(HasSubstr(typo), HasSubstr("did you mean PETLAB_"))) << typo;
  }
  const Output other = plan("PETLAB_SOMETHING_ELSE=1");
  EXPECT_EQ(other.exit_code, 0);
  EXPECT_THAT(other.err, AllOf(HasSubstr("PETLAB_SOMETHING_ELSE"), HasSubstr("changes nothing")));
  const Output known = plan(std::string("PETLAB_HOME=") + PETLAB_SOURCE_DIR);
  EXPECT_THAT(known.err, Not(HasSubstr("PETLAB_")));
  const Output wrong = plan("PETLAB_HOME=" + workshop.folder().string());
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("expected petlab's own folder: no datasets/icon-home"));
}

TEST(Stores, APipeIsRefusedAndNotWaitedFor) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kZeroShotRow);
  ASSERT_EQ(::mkfifo((workshop.folder() / "pipe.sqlite").c_str(), 0600), 0);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"run", study, "--store", "pipe.sqlite", "--cache-dir", "cache"},
        {"report", "--store", "pipe.sqlite"},
        {"check", "pipe.sqlite"},
        {"merge", "a.sqlite", "pipe.sqlite"}}) {
    const Output output = run_petlab(command, workshop.folder());
    EXPECT_EQ(output.exit_code, 5) << command.front() << output.err;
    EXPECT_THAT(output.err, HasSubstr("is a pipe")) << command.front();
  }
}

TEST(Stores, ALeaseOfTheFutureIsNamedAndNotWaitedFor) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kZeroShotRow);
  const auto arguments = run_arguments(study, "a.sqlite", {"--seeds", "1,2", "--no-table"});
  ASSERT_EQ(run_petlab(arguments, workshop.folder()).exit_code, 0);
  const std::string held =
      RunStore(workshop.folder() / "a.sqlite", OpenMode::read_only).runs("small").at(0).plan.hash;
  fs::remove(workshop.folder() / "a.sqlite");
  ASSERT_EQ(RunStore(workshop.folder() / "a.sqlite")
                .claim(held, "oldhost, process 4242 (deadbeef.4026531836-77)",
                       std::chrono::hours(24 * 365 * 70)),
            results::Claim::taken);
  const Output output = run_petlab(arguments, workshop.folder());
  EXPECT_EQ(output.exit_code, 1) << output.err;
  EXPECT_THAT(output.out, AllOf(HasSubstr("oldhost, process 4242"), HasSubstr(" until 20"),
                                HasSubstr("NOT waited for")));
  EXPECT_THAT(output.err, HasSubstr("petlab clean"));
  const Output clean = run_petlab({"clean", "--store", "a.sqlite", "--leases"}, workshop.folder());
  EXPECT_THAT(clean.out, HasSubstr("gave back run " + held.substr(0, 12)));
  EXPECT_EQ(run_petlab(arguments, workshop.folder()).exit_code, 0);
}

TEST(Checkpoints, OfSettingsThatWereLeftAreListedAndRemoved) {
  const Workshop workshop;
  const std::string row = "[row.vpt]\nmethod = vpt-deep\nsharing = joint\n";
  std::string study = workshop.write_study(row, "epochs = 2000\nbatch = 2");
  const auto folder = workshop.folder() / "a.sqlite.checkpoints";
  const auto count = [&] {
    std::error_code none;
    return std::distance(fs::directory_iterator(folder, none), fs::directory_iterator());
  };
  {
    Program program(run_arguments(study, "a.sqlite", {"--seeds", "1", "--checkpoint", "0"}),
                    workshop.folder());
    const auto is_written = [&] {
      std::error_code none;
      for (const auto& entry : fs::directory_iterator(folder, none))
        if (entry.path().extension() == ".safetensors") return true;
      return false;
    };
    for (int i = 0; i < 6000 && !is_written(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::kill(program.pid(), SIGINT);
    EXPECT_EQ(program.wait().exit_code, 130);
  }
  ASSERT_GE(count(), 1);
  const auto of_study = [&](const std::string& command) {
    return std::vector<std::string>{command,   study, "--store", "a.sqlite",
                                    "--seeds", "1",   "--set",   "study.name=small"};
  };
  const std::vector<std::string> plan = of_study("plan"), clean = of_study("clean");
  // The next checkpoint may have been half written: a draft is nobody's.
  EXPECT_THAT(run_petlab(plan, workshop.folder()).out, Not(HasSubstr(".safetensors\n")));
  (void)run_petlab(clean, workshop.folder());
  EXPECT_GE(count(), 1) << "a run would go on from it";

  study = workshop.write_study(row, "epochs = 3\nbatch = 2");
  const Output listed = run_petlab(plan, workshop.folder());
  EXPECT_THAT(listed.out, AllOf(HasSubstr("that no run needs"), HasSubstr(".safetensors")));
  std::ofstream(folder / "notes.txt") << "mine";
  const Output removed = run_petlab(clean, workshop.folder());
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_EQ(count(), 1) << "only the file that is none of petlab's";
  EXPECT_TRUE(fs::exists(folder / "notes.txt"));
}

}  // namespace
}  // namespace petlab::tests
