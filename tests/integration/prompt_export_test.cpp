// Exported prompts, hooked into CLIPModel of transformers by the loader that lies beside them.
#include "../parity/reference.hpp"
#include "exported_runs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct PromptRow {
  const char* name;
  const char* keys;
  const char* folder;     ///< of which the answers are compared
  const char* task = "";  ///< as which the pictures are classified; "" where all are alike
};

// Each kind of prompts, at rates that move them far from where they start.
constexpr PromptRow kPromptRows[] = {
    {"coop", "method = coop\nsharing = joint\noption.n-ctx = 4\nlearning-rate = 0.5\n",
     "prompts-shared"},
    {"coop-composed",
     "method = coop\nsharing = joint+specific\noption.n-ctx = 3\noption.class-position = middle\n"
     "learning-rate = 0.5\n",
     "prompts-task-Photo", "Photo"},
    {"csc",
     "method = coop-csc\nsharing = per-task\noption.n-ctx = 3\noption.class-position = front\n"
     "learning-rate = 0.5\n",
     "prompts-task-Art", "Art"},
    {"csc-composed",
     "method = coop-csc\nsharing = joint+specific\noption.n-ctx = 2\nlearning-rate = 0.5\n",
     "prompts-task-Sketch", "Sketch"},
    {"kgcoop", "method = kgcoop\nsharing = joint\nlearning-rate = 0.5\n", "prompts-shared"},
    {"cocoop", "method = cocoop\nsharing = joint\nlearning-rate = 0.5\n", "prompts-shared"},
    {"cocoop-composed", "method = cocoop\nsharing = joint+specific\nlearning-rate = 0.5\n",
     "prompts-task-Art", "Art"},
    {"text", "method = text-prompt\nsharing = joint\nlearning-rate = 0.5\n", "prompts-shared"},
    {"vision",
     "method = vision-prompt\nsharing = grouped\ngrouping = all-in-one\nlearning-rate = 0.5\n",
     "prompts-group-Art-Photo-Sketch", "Art"},
    {"shallow", "method = vpt-shallow\nsharing = per-task\nlearning-rate = 0.5\n",
     "prompts-task-Photo", "Photo"},
    {"deep", "method = vpt-deep\nsharing = joint\nlearning-rate = 0.5\n", "prompts-shared"},
    {"ivlp", "method = ivlp\nsharing = joint\nlearning-rate = 0.5\n", "prompts-shared"},
    {"maple", "method = maple\nsharing = joint\noption.depth = 0\nlearning-rate = 0.2\n",
     "prompts-shared"},
    {"promptsrc", "method = promptsrc\nsharing = joint\nlearning-rate = 0.2\n", "prompts-shared"},
    {"mmap",
     "method = mmap\nsharing = joint\noption.b = 4\noption.m = 2\noption.n = 2\nlearning-rate = "
     "0.5\n",
     "prompts-shared"},
    {"mmap-task",
     "method = mmap\nsharing = per-task\noption.b = 4\noption.m = 2\noption.n = 2\nlearning-rate = "
     "0.5\n",
     "prompts-task-Sketch", "Sketch"},
    {"mmap-composed",
     "method = mmap\nsharing = joint+specific\noption.b = 4\noption.m = 2\noption.n = "
     "2\nlearning-rate = 0.5\n",
     "prompts-task-Art", "Art"},
    {"mmap-sum",
     "method = mmap\nsharing = joint+specific\noption.b = 4\noption.m = 2\noption.n = "
     "2\noption.composition = add\n"
     "learning-rate = 0.5\n",
     "prompts-task-Photo", "Photo"},
};

std::string rows() {
  std::string text;
  for (const PromptRow& row : kPromptRows)
    text += std::string("[row.") + row.name + "]\n" + row.keys;
  return text;
}

TEST(PromptExport, GivesTheSameAnswersInTransformers) {
  const ExportedRuns runs(rows());
  ASSERT_GE(runs.pictures().size(), 64U);
  std::vector<std::string> arguments = {(runs.folder() / "clip").string()};
  std::map<std::string, ExportedRuns::Answers> answers;
  for (const PromptRow& row : kPromptRows) {
    const Output output = runs.exported(row.name);
    ASSERT_EQ(output.exit_code, 0) << row.name << output.err;
    EXPECT_THAT(output.out, AllOf(HasSubstr(row.folder), Not(HasSubstr("Note:"))));
    answers[row.name] = runs.answers(row.name, row.task);
    const fs::path folder = runs.folder() / row.name / row.folder;
    arguments.push_back(folder.string() + (*row.task != '\0' ? std::string(":") + row.task : ""));
  }
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), runs.pictures().begin(), runs.pictures().end());
  parity::run_reference("../integration/prompt_export_reference.py", arguments, runs.folder());
  for (const PromptRow& row : kPromptRows) {
    SCOPED_TRACE(row.name);
    runs.expect_same(answers[row.name], runs.folder() / row.name / row.folder / "reference.csv");
    if (std::string(row.name) != "coop") {
      EXPECT_NE(answers[row.name], answers["coop"]);
    }
  }

  const auto about = nlohmann::json::parse(
      std::ifstream(runs.folder() / "coop" / "prompts-shared" / "prompts.json"));
  EXPECT_EQ(about.at("format"), "petlab prompts");
  EXPECT_EQ(about.at("version"), 1);
  EXPECT_EQ(about.at("run"), runs.run("coop"));
  EXPECT_EQ(about.at("text_template"), "{}.");
  EXPECT_EQ(about.at("class_position"), "end");
  EXPECT_EQ(about.at("precision"), "float32");
  EXPECT_EQ(about.at("options").at("n-ctx"), "4");
  EXPECT_EQ(about.at("tasks").size(), 3U);
  EXPECT_EQ(about.at("tasks").at(0).at("name"), "Art");
  EXPECT_EQ(about.at("tasks").at(0).at("classes").size(), 4U);
}

}  // namespace
}  // namespace petlab::tests
