#include "petlab/reports/render.hpp"
#include "sample_study.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace petlab::reports {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_golden(const std::string& got, const std::string& name) {
  const std::filesystem::path golden =
      std::filesystem::path(PETLAB_SOURCE_DIR "/tests/golden/report") / name;
  if (std::getenv("PETLAB_UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(golden.parent_path());
    std::ofstream(golden, std::ios::binary) << got;
  }
  EXPECT_EQ(got, read(golden)) << "run with PETLAB_UPDATE_GOLDEN=1 if the change is meant";
}

class GoldenReportTest : public testing::Test {
 protected:
  results::sample::TemporaryFolder folder_;
  Report report_ = build_report(sample::demo_store(folder_ / "demo.sqlite"), "demo");
};

TEST_F(GoldenReportTest, TerminalTableIsAsInTheGoldenFile) {
  std::ostringstream out;
  print_table(out, report_, {.ansi = false, .width = 160});
  expect_golden(out.str(), "table.txt");
}

TEST_F(GoldenReportTest, FilesAreAsTheGoldenFiles) {
  const auto written =
      write_report(report_, folder_ / "out", {Format::markdown, Format::csv, Format::html});
  ASSERT_EQ(written.size(), 5U);
  for (const auto& path : written)
    expect_golden(read(path), path.filename().string());
}

}  // namespace
}  // namespace petlab::reports
