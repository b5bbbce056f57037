#include "exported_runs.hpp"

#include "petlab/results/run_store.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace petlab::tests {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStore;

ExportedRuns::ExportedRuns(const std::string& rows) {
  const Output output =
      petlab({"run", workshop_.write_study(rows), "--store", "a.sqlite", "--cache-dir", "cache",
              "--seeds", "1", "--set", "study.name=small", "--no-table"});
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  const RunStore store(folder_ / "a.sqlite", OpenMode::read_only);
  for (const results::StudyRun& run : store.runs("small"))
    runs_[run.plan.row_label] = run.plan.hash;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "pictures"))
    if (entry.is_regular_file()) pictures_.push_back(entry.path().string());
  std::sort(pictures_.begin(), pictures_.end());
}

Output ExportedRuns::petlab(const std::vector<std::string>& arguments) const {
  return run_petlab(arguments, folder_);
}

Output ExportedRuns::exported(const std::string& row) const {
  return petlab({"export", run(row).substr(0, 16), "--store", "a.sqlite", "--out", row});
}

ExportedRuns::Answers ExportedRuns::answers(const std::string& row, const std::string& task) const {
  std::vector<std::string> arguments = {"clip",     "classify", "--run", run(row),   "--store",
                                        "a.sqlite", "--top",    "99",    "--format", "json"};
  if (!task.empty()) arguments.insert(arguments.end(), {"--task", task});
  arguments.insert(arguments.end(), pictures_.begin(), pictures_.end());
  const Output output = petlab(arguments);
  EXPECT_EQ(output.exit_code, 0) << output.err;
  Answers all;
  for (const auto& picture : nlohmann::json::parse(output.out)) {
    auto& one = all.emplace_back();
    for (const auto& answer : picture["runs"][0]["classes"])
      one[answer["name"].get<std::string>()] = answer["probability"].get<double>();
  }
  return all;
}

void ExportedRuns::expect_same(const Answers& mine, const fs::path& file) const {
  std::ifstream lines(file);
  std::size_t picture = 0;
  double largest = 0.0;
  for (std::string line; std::getline(lines, line); ++picture) {
    ASSERT_LT(picture, mine.size());
    std::istringstream fields(line);
    std::vector<double> here, there;
    for (const auto& [name, probability] : mine[picture]) {
      std::string field;
      std::getline(fields, field, ',');
      here.push_back(probability);
      there.push_back(std::stod(field));
      EXPECT_NEAR(there.back(), probability, 1e-3) << pictures_[picture] << " " << name;
    }
    // Two classes may tie to the last digits that are compared.
    const auto best = std::max_element(there.begin(), there.end()) - there.begin();
    EXPECT_GT(here[static_cast<std::size_t>(best)],
              *std::max_element(here.begin(), here.end()) - 2e-3);
    largest = std::max(largest, *std::max_element(here.begin(), here.end()));
  }
  EXPECT_EQ(picture, pictures_.size());
  EXPECT_GT(largest, 0.3) << "nothing was learnt that could be lost";
}

}  // namespace petlab::tests
