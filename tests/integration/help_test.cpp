#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

// What `--help` advertises is run: an option, key or value that is refused is found here.
namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kJointRows =
    "[row.coop-joint]\nmethod = coop\nsharing = joint\n"
    "[row.mmap-joint]\nmethod = mmap\nsharing = joint\n";

/// A folder in which the files that examples of studies name are there.
class HelpExamples : public testing::Test {
 protected:
  HelpExamples() {
    const fs::path& folder = workshop_.folder();
    fs::copy(folder / "pictures" / "Photo", folder / "pictures" / "Product",
             fs::copy_options::recursive);
    fs::create_directories(folder / "harness" / "protocols");
    std::ifstream written(workshop_.write_study(kJointRows));
    std::stringstream study;
    study << written.rdbuf();
    std::ofstream(folder / "my.ini") << study.str();
    std::string demo = study.str();
    for (const char* path : {"root = ", "dir = "})
      demo.insert(demo.find(path) + std::string(path).size(), "../../");
    std::ofstream(folder / "harness" / "protocols" / "demo.ini") << demo;
    fs::create_directory_symlink(folder / "clip", folder / "clip-vit-base-patch16");
  }

  [[nodiscard]] Output petlab(const std::vector<std::string>& arguments) const {
    return run_petlab(arguments, workshop_.folder());
  }

  /// The command lines under "Examples:", a word an argument; ~ is the folder.
  [[nodiscard]] std::vector<std::vector<std::string>> examples(
      std::vector<std::string> command) const {
    command.emplace_back("--help");
    const std::string help = petlab(command).out;
    const auto begin = help.find("Examples:\n");
    EXPECT_NE(begin, std::string::npos) << command.front();
    std::vector<std::vector<std::string>> lines;
    std::istringstream in(begin == std::string::npos ? "" : help.substr(begin + 10));
    std::string line, joined;
    while (std::getline(in, line)) {
      joined += line;
      if (joined.ends_with('\\')) {
        joined.pop_back();
        continue;
      }
      lines.push_back(words(joined));
      joined.clear();
    }
    return lines;
  }

  [[nodiscard]] std::vector<std::string> words(const std::string& line) const {
    std::vector<std::string> result;
    std::string word;
    char quote = 0;
    for (const char c : line + " ") {
      if (quote == 0 ? c == '\'' || c == '"' : c == quote) {
        quote = quote == 0 ? c : 0;
      } else if (c == ' ' && quote == 0) {
        if (!word.empty() && word[0] != '>') result.push_back(word);
        word.clear();
      } else if (c == '~' && word.empty()) {
        word = workshop_.folder().string();
      } else {
        word += c;
      }
    }
    if (!result.empty() && result.front() == "petlab") result.erase(result.begin());
    return result;
  }

  Workshop workshop_;
};

TEST_F(HelpExamples, OfStudiesAndMethodsWork) {
  for (const char* command : {"run", "plan", "describe"})
    for (std::vector<std::string> example : examples({command})) {
      if (example.at(0) == "run") example[0] = "plan";  // the same options, and nothing is trained
      const Output output = petlab(example);
      EXPECT_EQ(output.exit_code, 0) << testing::PrintToString(example) << output.err;
    }
}

TEST_F(HelpExamples, OfOtherCommandsNameOptionsThatThereAre) {
  const std::vector<std::vector<std::string>> commands = {{"report"},
                                                          {"merge"},
                                                          {"export"},
                                                          {"plugins"},
                                                          {"compare"},
                                                          {"verify"},
                                                          {"evaluate"},
                                                          {"clean"},
                                                          {"clip", "info"},
                                                          {"clip", "embed"},
                                                          {"clip", "classify"},
                                                          {"datasets", "list"},
                                                          {"datasets", "check"},
                                                          {"datasets", "split"}};
  for (const auto& command : commands)
    for (const std::vector<std::string>& example : examples(command)) {
      const bool has_options =
          std::any_of(example.begin(), example.end(),
                      [](const std::string& word) { return word.starts_with("--"); });
      if (!has_options) continue;
      // What they name is not there, which is found behind the options.
      const std::string error = petlab(example).err;
      for (const char* refusal : {"unknown option", "unknown command", "--help", "has no option"})
        EXPECT_THAT(error, Not(HasSubstr(refusal))) << testing::PrintToString(example);
    }
}

/// "e.g. VALUE" in the description of an option.
TEST_F(HelpExamples, OfSingleOptionsAreTaken) {
  std::istringstream help(petlab({"plan", "--help"}).out);
  std::string option, word, before;
  int tried = 0;
  while (help >> word) {
    if (word.starts_with("--")) option = word;
    const bool is_example = before == "e.g.";
    before = word;
    if (!is_example) continue;
    while (word.ends_with(')') || word.ends_with(','))
      word.pop_back();
    const Output output = petlab({"plan", "my.ini", option, word});
    EXPECT_EQ(output.exit_code, 0) << option << " " << word << ": " << output.err;
    ++tried;
  }
  EXPECT_GE(tried, 4);  // --seeds, --domains, --rows, --set
}

}  // namespace
}  // namespace petlab::tests
