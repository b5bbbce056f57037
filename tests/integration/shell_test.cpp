#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

// What makes the program easy to call: a study file to begin with, completion, the manual page.
namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

TEST(Shell, InitWritesAStudyThatRuns) {
  const Workshop workshop;
  const Output made = run_petlab({"init", "pictures", "--backbone", "clip", "--out", "my.ini",
                                  "--methods", "zero-shot,coop,mmap"},
                                 workshop.folder());
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr("3 domains, 4 classes"), HasSubstr("petlab run my.ini")));
  const std::string text = text_of(workshop.folder() / "my.ini");
  EXPECT_THAT(text, AllOf(HasSubstr("[row.coop-joint]"), HasSubstr("[row.mmap-groups]")));
  const Output planned = run_petlab({"plan", "my.ini", "--store", "a.sqlite"}, workshop.folder());
  EXPECT_EQ(planned.exit_code, 0) << planned.err;
  EXPECT_THAT(planned.out, HasSubstr("12 runs: 0 done"));

  // Nothing is written over.
  const Output again =
      run_petlab({"init", "pictures", "--backbone", "clip", "--out", "my.ini"}, workshop.folder());
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.err, HasSubstr("my.ini exists already"));
  EXPECT_EQ(text_of(workshop.folder() / "my.ini"), text);
}

TEST(Shell, InitSaysWhatIsWrongAndWritesNothing) {
  const Workshop workshop;
  const auto error_of = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "init");
    const Output output = run_petlab(arguments, workshop.folder());
    EXPECT_NE(output.exit_code, 0);
    EXPECT_FALSE(fs::exists(workshop.folder() / "study.ini"));
    return output.err;
  };
  EXPECT_THAT(error_of({"pictures", "--backbone", "clip", "--methods", "coob"}),
              AllOf(HasSubstr("coob"), HasSubstr("did you mean 'coop'")));
  EXPECT_THAT(error_of({"pictures", "--backbone", "clip", "--methods", "coop,mmap,coop"}),
              HasSubstr("--methods names 'coop' twice"));
  EXPECT_THAT(error_of({"nowhere", "--backbone", "clip"}), HasSubstr("nowhere"));
  EXPECT_THAT(error_of({"pictures", "--backbone", "nowhere"}), HasSubstr("nowhere"));
  EXPECT_THAT(error_of({"pictures"}), HasSubstr("backbone"));
  EXPECT_THAT(error_of({"--backbone", "clip"}), HasSubstr("needs ROOT"));
}

/// What bash completes of the words, the last of them begun.
std::string completed(const fs::path& folder, const std::string& words, int last) {
  const std::string script = "source completion.bash; COMP_WORDS=(" + words +
                             "); COMP_CWORD=" + std::to_string(last) +
                             "; _petlab; printf '%s\\n' \"${COMPREPLY[@]}\" > completed.txt";
  std::ofstream(folder / "ask.bash") << script;
  const std::string command = "cd '" + folder.string() + "' && bash ask.bash";
  EXPECT_EQ(std::system(command.c_str()), 0) << words;
  return text_of(folder / "completed.txt");
}

TEST(Shell, BashCompletesCommandsActionsAndOptions) {
  const Workshop workshop;
  const Output script = run_petlab({"completion", "bash"}, workshop.folder());
  ASSERT_EQ(script.exit_code, 0) << script.err;
  std::ofstream(workshop.folder() / "completion.bash") << script.out;
  EXPECT_EQ(completed(workshop.folder(), "petlab rep", 1), "reproduce\nreport\n");
  EXPECT_EQ(completed(workshop.folder(), "petlab datasets fin", 2), "fingerprint\n");
  EXPECT_EQ(completed(workshop.folder(), "petlab run my.ini --epo", 3), "--epochs\n");
  EXPECT_EQ(completed(workshop.folder(), "petlab datasets check --str", 3), "--strict\n");
  std::ofstream(workshop.folder() / "mine.ini") << "";
  EXPECT_EQ(completed(workshop.folder(), "petlab run min", 2), "mine.ini\n");
  const Output unknown = run_petlab({"completion", "fish"}, workshop.folder());
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("fish"), HasSubstr("bash")));
}

TEST(Shell, ZshReadsItsCompletion) {
  const Workshop workshop;
  const Output script = run_petlab({"completion", "zsh"}, workshop.folder());
  ASSERT_EQ(script.exit_code, 0) << script.err;
  EXPECT_THAT(script.out, AllOf(HasSubstr("#compdef petlab"), HasSubstr("'--epochs[")));
  if (std::system("command -v zsh > /dev/null") != 0) GTEST_SKIP() << "there is no zsh";
  std::ofstream(workshop.folder() / "_petlab") << script.out;
  const std::string command = "cd '" + workshop.folder().string() + "' && zsh -n _petlab";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(Shell, TheManualPageHasEveryCommand) {
  const Workshop workshop;
  const Output page = run_petlab({"man"}, workshop.folder());
  ASSERT_EQ(page.exit_code, 0) << page.err;
  for (const char* command : {"run STUDY", "datasets check ROOT", "clip classify", "init ROOT"}) {
    std::string head = std::string(".SS \"petlab ") + command;
    EXPECT_THAT(page.out, HasSubstr(head));
  }
  EXPECT_THAT(page.out, HasSubstr(".B \\-\\-epochs VALUE"));
}

}  // namespace
}  // namespace petlab::tests
