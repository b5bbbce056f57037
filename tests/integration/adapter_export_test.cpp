// Adapters in other programs' layouts, loaded by these: PEFT and transformers.
#include "../parity/reference.hpp"
#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// At rates that move every adapter far from where it starts.
constexpr const char* kRows =
    "[row.lora]\nmethod = lora\nsharing = joint\nlearning-rate = 0.05\noption.maps = "
    "q,k,v,out,fc1,fc2\n"
    "[row.ia3]\nmethod = ia3\nsharing = joint\nlearning-rate = 0.1\n"
    "[row.full]\nmethod = full-fine-tuning\nsharing = joint\nlearning-rate = 0.001\n"
    "[row.coop]\nmethod = coop\nsharing = joint\n";

class AdapterExport : public testing::Test {
 protected:
  AdapterExport() {
    const Output output =
        petlab({"run", workshop_.write_study(kRows), "--store", "a.sqlite", "--cache-dir", "cache",
                "--seeds", "1", "--set", "study.name=small", "--no-table"});
    EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
    const RunStore store(folder_ / "a.sqlite", OpenMode::read_only);
    for (const results::StudyRun& run : store.runs("small"))
      runs_[run.plan.row_label] = run.plan.hash;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "pictures"))
      if (entry.is_regular_file()) pictures_.push_back(entry.path().string());
    std::sort(pictures_.begin(), pictures_.end());
  }

  Output petlab(const std::vector<std::string>& arguments) const {
    return run_petlab(arguments, folder_);
  }

  Output exported(const std::string& row) const {
    return petlab({"export", runs_.at(row).substr(0, 16), "--store", "a.sqlite", "--out", row});
  }

  /// By picture and class: what petlab says.
  [[nodiscard]] std::vector<std::map<std::string, double>> ours(const std::string& row) const {
    std::vector<std::string> arguments = {"clip",     "classify", "--run", runs_.at(row), "--store",
                                          "a.sqlite", "--top",    "99",    "--format",    "json"};
    arguments.insert(arguments.end(), pictures_.begin(), pictures_.end());
    const Output output = petlab(arguments);
    EXPECT_EQ(output.exit_code, 0) << output.err;
    std::vector<std::map<std::string, double>> all;
    for (const auto& picture : nlohmann::json::parse(output.out)) {
      auto& one = all.emplace_back();
      for (const auto& answer : picture["runs"][0]["classes"])
        one[answer["name"].get<std::string>()] = answer["probability"].get<double>();
    }
    return all;
  }

  /// What an exported folder gives in Python (its reference.csv) is what petlab says, to 1e-3.
  void expect_same(const std::vector<std::map<std::string, double>>& mine,
                   const fs::path& exported) const {
    std::ifstream file(exported / "reference.csv");
    std::size_t picture = 0;
    double largest = 0.0;
    for (std::string line; std::getline(file, line); ++picture) {
      ASSERT_LT(picture, mine.size());
      std::istringstream fields(line);
      for (const auto& [name, probability] : mine[picture]) {
        std::string field;
        std::getline(fields, field, ',');
        EXPECT_NEAR(std::stod(field), probability, 1e-3) << pictures_[picture] << " " << name;
        largest = std::max(largest, probability);
      }
    }
    EXPECT_EQ(picture, pictures_.size());
    EXPECT_GT(largest, 0.3) << "nothing was learnt that could be lost";
  }

  Workshop workshop_;
  fs::path folder_ = workshop_.folder();
  std::map<std::string, std::string> runs_;
  std::vector<std::string> pictures_;
};

TEST_F(AdapterExport, GivesTheSameAnswersInPeftAndTransformers) {
  ASSERT_GE(pictures_.size(), 64U);
  const std::map<std::string, std::string> folders = {
      {"lora", "peft-shared"}, {"ia3", "peft-shared"}, {"full", "model-shared"}};
  std::map<std::string, std::vector<std::map<std::string, double>>> answers;
  for (const auto& [row, folder] : folders) {
    const Output output = exported(row);
    ASSERT_EQ(output.exit_code, 0) << row << output.err;
    EXPECT_THAT(output.out, AllOf(HasSubstr(row + "/adapters.safetensors"), HasSubstr(folder),
                                  Not(HasSubstr("Note:"))));
    answers[row] = ours(row);
    ASSERT_EQ(answers[row].size(), pictures_.size());
  }
  EXPECT_NE(answers["lora"], answers["ia3"]);
  std::string classes;
  for (const auto& [name, probability] : answers["lora"].front())
    classes += (classes.empty() ? "" : ",") + name;
  std::vector<std::string> arguments = {(folder_ / "clip").string(), "a photo of a {}.", classes};
  for (const auto& [row, folder] : folders)
    arguments.push_back((folder_ / row / folder).string());
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), pictures_.begin(), pictures_.end());
  parity::run_reference("../integration/adapter_export_reference.py", arguments, folder_);
  for (const auto& [row, folder] : folders) {
    SCOPED_TRACE(row);
    expect_same(answers[row], folder_ / row / folder);
  }
}

TEST_F(AdapterExport, SaysWhatHasNoOtherLayout) {
  const Output output = exported("coop");
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, AllOf(HasSubstr("coop/adapters.safetensors"),
                                HasSubstr("Note: adapter 'shared' is")));
  const Output nothing = petlab({"export", "ffffffff", "--store", "a.sqlite", "--out", "x"});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_FALSE(fs::exists(folder_ / "x"));
  EXPECT_EQ(petlab({"export", "--store", "a.sqlite"}).exit_code, 2);
}

}  // namespace
}  // namespace petlab::tests
