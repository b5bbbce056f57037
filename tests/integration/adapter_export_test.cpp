// Adapters in other programs' layouts, loaded by these: PEFT and transformers.
#include "../parity/reference.hpp"
#include "exported_runs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// At rates that move every adapter far from where it starts.
constexpr const char* kExportedRows =
    "[row.lora]\nmethod = lora\nsharing = joint\nlearning-rate = 0.05\noption.maps = "
    "q,k,v,out,fc1,fc2\n"
    "[row.ia3]\nmethod = ia3\nsharing = joint\nlearning-rate = 0.1\n"
    "[row.full]\nmethod = full-fine-tuning\nsharing = joint\nlearning-rate = 0.001\n"
    "[row.bitfit]\nmethod = bitfit\nsharing = joint\nlearning-rate = 0.05\n"
    "[row.layer-norm]\nmethod = layer-norm\nsharing = joint\nlearning-rate = 0.05\n"
    "[row.ssf]\nmethod = ssf\nsharing = joint\n";

TEST(AdapterExport, GivesTheSameAnswersInPeftAndTransformers) {
  const ExportedRuns runs(kExportedRows);
  ASSERT_GE(runs.pictures().size(), 64U);
  const std::map<std::string, std::string> folders = {{"lora", "peft-shared"},
                                                      {"ia3", "peft-shared"},
                                                      {"full", "model-shared"},
                                                      {"bitfit", "weights-shared"},
                                                      {"layer-norm", "weights-shared"}};
  std::map<std::string, ExportedRuns::Answers> answers;
  for (const auto& [row, folder] : folders) {
    const Output output = runs.exported(row);
    ASSERT_EQ(output.exit_code, 0) << row << output.err;
    EXPECT_THAT(output.out, AllOf(HasSubstr(row + "/adapters.safetensors"), HasSubstr(folder),
                                  Not(HasSubstr("Note:"))));
    answers[row] = runs.answers(row);
    ASSERT_EQ(answers[row].size(), runs.pictures().size());
  }
  EXPECT_NE(answers["lora"], answers["ia3"]);
  EXPECT_NE(answers["bitfit"], answers["layer-norm"]);
  std::string classes;
  for (const auto& [name, probability] : answers["lora"].front())
    classes += (classes.empty() ? "" : ",") + name;
  std::vector<std::string> arguments = {(runs.folder() / "clip").string(), "a photo of a {}.",
                                        classes};
  for (const auto& [row, folder] : folders)
    arguments.push_back((runs.folder() / row / folder).string());
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), runs.pictures().begin(), runs.pictures().end());
  parity::run_reference("../integration/adapter_export_reference.py", arguments, runs.folder());
  for (const auto& [row, folder] : folders) {
    SCOPED_TRACE(row);
    runs.expect_same(answers[row], runs.folder() / row / folder / "reference.csv");
  }

  // What has no other layout.
  const Output ssf = runs.exported("ssf");
  EXPECT_EQ(ssf.exit_code, 0) << ssf.err;
  EXPECT_THAT(ssf.out, AllOf(HasSubstr("ssf/adapters.safetensors"),
                             HasSubstr("Note: adapter 'shared' is an affine change, for which PEFT "
                                       "and transformers have no layout")));
  const Output nothing = runs.petlab({"export", "ffffffff", "--store", "a.sqlite", "--out", "x"});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_FALSE(fs::exists(runs.folder() / "x"));
  EXPECT_EQ(runs.petlab({"export", "--store", "a.sqlite"}).exit_code, 2);
}

}  // namespace
}  // namespace petlab::tests
