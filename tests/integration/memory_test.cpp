#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace petlab::tests {
namespace {

using testing::HasSubstr;

constexpr const char* kMeasuredRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.coop]\nmethod = coop\nsharing = per-task\noption.n-ctx = 4\n"
    "[row.vpt]\nmethod = vpt-deep\nsharing = joint\noption.n-prompt = 8\n"
    "[row.mmap]\nmethod = mmap\nsharing = joint+specific\noption.b = 4\n"
    "[row.lora]\nmethod = lora\nsharing = joint\n"
    "[row.full]\nmethod = full-fine-tuning\nsharing = per-task\n";

/// MiB by row, as the column of `petlab plan` says them: "~~312 MiB".
std::map<std::string, double> estimates(const std::string& plan) {
  std::map<std::string, double> result;
  std::istringstream lines(plan);
  for (std::string line; std::getline(lines, line);) {
    const auto sign = line.find("~~");
    if (sign == std::string::npos) continue;
    std::istringstream rest(line.substr(sign + 2));
    double number = 0.0;
    std::string unit;
    rest >> number >> unit;
    result[line.substr(0, line.find(' '))] = unit == "GiB" ? 1024.0 * number : number;
  }
  return result;
}

// Batches large enough for the towers' memory to count beside that of the program.
TEST(Memory, IsPredictedFromShapes) {
  const Workshop workshop;
  write_pictures(workshop.folder() / "many", 20);
  const std::string study = workshop.write_study(kMeasuredRows, "epochs = 2\nbatch = 48");
  const std::vector<std::string> choices = {
      "--dataset-root",   (workshop.folder() / "many").string(),
      "--train-fraction", "0.8",
      "--seeds",          "1",
      "--backbone",       PETLAB_SOURCE_DIR "/harness/backbones/petlab-icon-clip"};
  auto plan = run_arguments(study, "a.sqlite", choices);
  plan.front() = "plan";
  const Output planned = run_petlab(plan, workshop.folder());
  ASSERT_EQ(planned.exit_code, 0) << planned.err;
  const auto expected = estimates(planned.out);
  ASSERT_EQ(expected.size(), 6U) << planned.out;

  auto run = run_arguments(study, "a.sqlite", choices);
  run.insert(run.end(), {"--workers", "1", "--threads", "1", "--no-table"});
  const Output output = run_petlab(run, workshop.folder());
  ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  const results::RunStore store(workshop.folder() / "a.sqlite", results::OpenMode::read_only);
  for (const results::StudyRun& one : store.runs("small")) {
    const auto record = store.load(one.plan.hash, results::LoadDetail::without_predictions);
    std::int64_t peak = 0;
    for (const results::PhaseCost& cost : record->costs)
      peak = std::max(peak, cost.peak_host_bytes);
    const double measured = static_cast<double>(peak) / (1 << 20);
    const double said = expected.at(one.plan.row_label);
    RecordProperty(one.plan.row_label,
                   std::to_string(said) + " MiB predicted, " + std::to_string(measured));
    EXPECT_LT(said, 1.6 * measured) << one.plan.row_label;
    EXPECT_GT(said, measured / 1.6) << one.plan.row_label;
  }
}

TEST(Memory, ThatIsNotThereIsWarnedOf) {
  const Workshop workshop;
  auto plan = run_arguments(workshop.write_study("[row.vpt]\nmethod = vpt-deep\nsharing = joint\n",
                                                 "epochs = 2\nbatch = 65536"),
                            "a.sqlite", {"--seeds", "1", "--workers", "1024"});
  plan.front() = "plan";
  const Output output = run_petlab(plan, workshop.folder());
  ASSERT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, HasSubstr("Warning: 1024 parallel runs may need"));
  EXPECT_THAT(output.out, HasSubstr("use fewer --workers"));
}

}  // namespace
}  // namespace petlab::tests
