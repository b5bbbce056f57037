#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kRow = "[row.coop-joint]\nmethod = coop\nsharing = joint\noption.n-ctx = 4\n";

Output petlab(const std::vector<std::string>& arguments) {
  return run_petlab(arguments, fs::temp_directory_path());
}

TEST(CommandLine, HelpNamesEveryCommandAndExitCodes) {
  const Output output = petlab({"--help"});
  EXPECT_EQ(output.exit_code, 0);
  for (const char* text :
       {"run", "plan", "submit", "collect", "cancel", "worker", "report", "merge", "export",
        "plugins", "describe", "datasets", "clip", "Exit codes"})
    EXPECT_THAT(output.out, HasSubstr(text));
  EXPECT_THAT(output.out, Not(HasSubstr("compute-run")));
  EXPECT_EQ(petlab({}).exit_code, 2);
  EXPECT_THAT(petlab({"--version"}).out, AllOf(HasSubstr("SDK ABI"), HasSubstr("LibTorch 2.13")));
}

TEST(CommandLine, EveryCommandHasExamples) {
  for (const char* command :
       {"run", "plan", "report", "merge", "export", "plugins", "describe", "clip"}) {
    const Output output = petlab({command, "--help"});
    EXPECT_EQ(output.exit_code, 0) << command;
    EXPECT_THAT(output.out, AllOf(HasSubstr("Examples:"), HasSubstr("petlab"))) << command;
  }
}

TEST(CommandLine, MistakesAreOneSentenceWithASuggestion) {
  const struct {
    std::vector<std::string> arguments;
    std::string message;
  } cases[] = {
      {{"rum"}, "petlab: unknown command 'rum'; did you mean 'run'?"},
      {{"run", "x.ini", "--sead", "1"}, "petlab: unknown option '--sead'; did you mean '--seeds'?"},
      {{"run"}, "petlab: petlab run needs STUDY"},
      {{"run", "/no/such.ini"}, "petlab: cannot read protocol file /no/such.ini"},
      {{"run", "x.ini", "y.ini"}, "petlab: petlab run takes 1 argument"},
      {{"describe", "coup"}, "did you mean 'coop'?"},
      {{"datasets", "biuld"}, "did you mean 'build'?"},
      {{"datasets", "check", "x", "--dataset", "ofice"}, "unknown data set 'ofice'"},
      {{"clip", "inof", "x"}, "did you mean 'info'?"},
      {{"report"}, "--store"},
      {{"merge", "x.sqlite"}, "petlab: petlab merge needs FROM"},
      {{"export", "--store", "x.sqlite"}, "--out"},
      {{"plugins", "--plugin-dir", "/no/such"},
       "--plugin-dir names /no/such, which is not a folder"},
  };
  for (const auto& one : cases) {
    const Output output = petlab(one.arguments);
    EXPECT_EQ(output.exit_code, 2) << one.message;
    EXPECT_THAT(output.err, AllOf(StartsWith("petlab: "), HasSubstr(one.message)));
    EXPECT_EQ(std::count(output.err.begin(), output.err.end(), '\n'), 1) << output.err;
  }
}

TEST(CommandLine, MessagesAreOneLineWhateverNamesHold) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kRow);
  const std::vector<std::vector<std::string>> wrong = {
      {"x\npetlab: done"},
      {"plan", "--x\npetlab: done"},
      {"plan", "no\npetlab: done.ini"},
      {"plan", study, "--set", "dataset.root=a\npetlab: done"},
      {"plan", study, "--set", "study.name=a\npetlab: done"},
      {"clip", "info", "a\npetlab: done"}};
  for (const auto& arguments : wrong) {
    const Output output = run_petlab(arguments, workshop.folder());
    EXPECT_NE(output.exit_code, 0);
    EXPECT_THAT(output.err, StartsWith("petlab: "));
    EXPECT_EQ(std::count(output.err.begin(), output.err.end(), '\n'), 1) << output.err;
  }
}

TEST(CommandLine, NamesThatNoFileSystemTakesAreOneSentence) {
  const std::string name(300, 'a');
  const std::vector<std::vector<std::string>> wrong = {{"report", name},
                                                       {"check", name},
                                                       {"query", "select 1", "--store", name},
                                                       {"clean", "--store", name},
                                                       {"plugins", "--plugin-dir", name},
                                                       {"new-method", name}};
  for (const auto& arguments : wrong) {
    const Output output = petlab(arguments);
    EXPECT_THAT(output.exit_code, testing::AnyOf(2, 5)) << arguments[0] << output.err;
    EXPECT_EQ(std::count(output.err.begin(), output.err.end(), '\n'), 1) << output.err;
  }
}

TEST(CommandLine, AStoreThatIsNotThereIsNoMistakeOfTheCommandLine) {
  const Output output = petlab({"merge", "x.sqlite", "/no/such.sqlite"});
  EXPECT_EQ(output.exit_code, 5) << output.err;
  EXPECT_THAT(output.err, AllOf(StartsWith("petlab: "), HasSubstr("there is no such file")));
}

TEST(CommandLine, MistakesInAStudyAreFoundBeforeAnyRun) {
  const Workshop workshop;
  const std::string good = workshop.write_study(kRow);
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"run", good};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_petlab(arguments, workshop.folder());
  };
  EXPECT_THAT(run({"--rows", "coop-jiont"}).err, HasSubstr("did you mean 'coop-joint'?"));
  EXPECT_THAT(
      run({"--set", "train.epoch=3"}).err,
      HasSubstr("--set train.epoch=3: unknown key 'epoch' in [train]; did you mean 'epochs'?"));
  EXPECT_THAT(run({"--set", "row.coop-joint.method=cop"}).err, HasSubstr("did you mean 'coop'?"));
  EXPECT_THAT(run({"--workers", "0"}).err, HasSubstr("--workers is 0, expected at least 1"));
  EXPECT_FALSE(fs::exists(workshop.folder() / "results"));

  const std::string bad = workshop.write_study(std::string(kRow) + "learning_rate = 1\n");
  const Output output = run_petlab({"run", bad}, workshop.folder());
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_EQ(output.err,
            "petlab: study.ini:17: unknown key 'learning_rate' in [row.coop-joint]; did you mean "
            "'learning-rate'?\n");
}

TEST(CommandLine, ComesBeforeTheEnvironmentAndThatBeforeTheFile) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kRow, "epochs = 3");
  const std::vector<std::string> plan = {"plan", study, "--protocol"};
  EXPECT_THAT(run_petlab(plan, workshop.folder()).out, HasSubstr("epochs = 3\n"));
  EXPECT_THAT(run_petlab(plan, workshop.folder(), {"PETLAB_EPOCHS=5"}).out,
              HasSubstr("epochs = 5\n"));
  EXPECT_THAT(run_petlab({"plan", study, "--protocol", "--epochs", "7"}, workshop.folder(),
                         {"PETLAB_EPOCHS=5"})
                  .out,
              HasSubstr("epochs = 7\n"));
  EXPECT_THAT(run_petlab(plan, workshop.folder(), {"PETLAB_EPOCHS=few"}).err,
              HasSubstr("PETLAB_EPOCHS: 'train.epochs' is 'few'"));
}

TEST(CommandLine, DescribesAndCounts) {
  const Workshop workshop;
  const Output output = run_petlab(
      {"describe", "coop", "--count", "--backbone", "clip", "--option", "n-ctx=4", "--tasks", "3"},
      workshop.folder());
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("n-ctx"), HasSubstr("trainable 128 ("), HasSubstr("per-task 384")));
  EXPECT_THAT(run_petlab({"describe", "gradient"}, workshop.folder()).out,
              HasSubstr("grouping.NAME"));
}

TEST(CommandLine, ShowsABackbone) {
  const Workshop workshop;
  const Output output = run_petlab({"clip", "info", "clip"}, workshop.folder());
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, AllOf(HasSubstr("2 layers, width 32, 2 heads"),
                                HasSubstr("32 x 32, patches of 8 (16)")));
}

TEST(CommandLine, SplitsAndFingerprintsAreRepeatable) {
  const Workshop workshop;
  const std::vector<std::string> split = {"datasets", "split", "pictures", "--out", "split.csv"};
  const Output one = run_petlab(split, workshop.folder());
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(one.out, run_petlab(split, workshop.folder()).out);
  EXPECT_TRUE(fs::exists(workshop.folder() / "split.csv"));
  const Output print = run_petlab({"datasets", "fingerprint", "pictures"}, workshop.folder());
  EXPECT_EQ(print.out.size(), 65U) << print.err;
}

}  // namespace
}  // namespace petlab::tests
