#include "petlab/kernels/cpu_level.hpp"

#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"
#include "stored_results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace petlab::tests {
namespace {

using kernels::CpuLevel;
using testing::AllOf;
using testing::HasSubstr;

std::string value_of(const results::NamedValues& values, const std::string& wanted) {
  for (const auto& [name, value] : values)
    if (name == wanted) return value;
  return "";
}

TEST(CpuLevel, IsRefusedWithBothNamesWhereTheMachineLacksIt) {
  const auto version = [](const std::string& level) {
    return run_petlab({"--version"}, std::filesystem::temp_directory_path(),
                      {"PETLAB_CPU=" + level});
  };
  const Output unknown = version("avx1024");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("petlab: PETLAB_CPU is 'avx1024', expected one of baseline, "
                                     "avx2, avx512, amx"));
  const CpuLevel machine = kernels::machine_cpu_level();
  for (const CpuLevel level :
       {CpuLevel::baseline, CpuLevel::avx2, CpuLevel::avx512, CpuLevel::amx}) {
    const Output output = version(to_string(level));
    if (level <= machine) {
      EXPECT_EQ(output.exit_code, 0) << output.err;
      EXPECT_THAT(output.out, HasSubstr("CPU      " + to_string(level) + " of "));
    } else {
      EXPECT_EQ(output.exit_code, 2);
      EXPECT_THAT(output.err, HasSubstr("PETLAB_CPU is '" + to_string(level) +
                                        "', but this machine offers no more than '" +
                                        to_string(machine) + "'"));
    }
  }
}

// The methods of the demo on the demo's backbone.
constexpr const char* kDemoRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.full]\nmethod = full-fine-tuning\nsharing = joint\n"
    "[row.coop]\nmethod = coop\nsharing = per-task\noption.n-ctx = 4\n"
    "[row.vpt]\nmethod = vpt-deep\nsharing = joint\noption.n-prompt = 8\n"
    "[row.text]\nmethod = text-prompt\nsharing = joint\n"
    "[row.vision]\nmethod = vision-prompt\nsharing = joint\noption.n-prompt = 4\n"
    "[row.mmap]\nmethod = mmap\nsharing = grouped+specific\ngrouping = gradient\n"
    "grouping.groups = 2\noption.b = 4\n";

class Threads : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Precisions, Threads, testing::Values("fp32", "bf16"));

TEST_P(Threads, ChangeNoBitOfARun) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kDemoRows, "epochs = 2\nbatch = 3");
  std::map<std::string, StoredResult> one;
  for (const std::string threads : {"1", "2", "3"}) {
    const std::string store = "threads" + threads + ".sqlite";
    const Output output = run_petlab(
        run_arguments(study, store,
                      {"--seeds", "1", "--workers", "1", "--threads", threads, "--no-table",
                       "--backbone", PETLAB_SOURCE_DIR "/harness/backbones/petlab-icon-clip"}),
        workshop.folder());
    ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
    const auto results = stored_results(workshop.folder() / store);
    ASSERT_EQ(results.size(), 7U);
    if (threads == "1") one = results;
    for (const auto& [row, result] : results)
      EXPECT_TRUE(result == one.at(row)) << row << " with " << threads << " threads";
  }
}

TEST(CpuLevel, IsStoredAndARepeatOnAnotherOneIsNoFault) {
  const CpuLevel here = kernels::cpu_level();
  const CpuLevel other =
      here == CpuLevel::baseline ? kernels::machine_cpu_level() : CpuLevel::baseline;
  if (here == other) GTEST_SKIP() << "this machine has one level";
  const Workshop workshop;
  const std::string study = workshop.write_study("[row.vpt]\nmethod = vpt-deep\nsharing = joint\n");
  const Output run = run_petlab(run_arguments(study, "a.sqlite", {"--seeds", "1", "--no-table"}),
                                workshop.folder());
  ASSERT_EQ(run.exit_code, 0) << run.err;
  std::string identity;
  {
    const results::RunStore store(workshop.folder() / "a.sqlite", results::OpenMode::read_only);
    identity = store.find_runs("").at(0);
    EXPECT_EQ(value_of(store.load(identity)->environment, results::environment::kCpuLevel),
              to_string(here));
  }
  const Output report =
      run_petlab({"report", "--store", "a.sqlite", "--out", "report", "--format", "markdown"},
                 workshop.folder());
  EXPECT_EQ(report.exit_code, 0) << report.err;
  std::ifstream page(workshop.folder() / "report" / "report.md");
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  EXPECT_THAT(text, testing::ContainsRegex("CPU level[^\n]*" + to_string(here)));
  const Output verify =
      run_petlab({"verify", identity, "--store", "a.sqlite", "--cache-dir", "cache"},
                 workshop.folder(), {"PETLAB_CPU=" + to_string(other)});
  EXPECT_EQ(verify.exit_code, 0) << verify.out << verify.err;
  EXPECT_THAT(verify.out, AllOf(HasSubstr("claims bit-equal on its own CPU level"),
                                HasSubstr("this is another one")));
}

}  // namespace
}  // namespace petlab::tests
