#include "petlab/reports/render.hpp"
#include "sample_study.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

namespace petlab::reports {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The texts differ in a page of a megabyte; a line says enough.
std::string first_difference(const std::string& got, const std::string& wanted) {
  std::istringstream a(got);
  std::istringstream b(wanted);
  std::string left;
  std::string right;
  for (int number = 1;; ++number) {
    const bool more_left = static_cast<bool>(std::getline(a, left));
    const bool more_right = static_cast<bool>(std::getline(b, right));
    if (!more_left && !more_right) return "line ends";
    if (more_left != more_right || left != right) {
      return "line " + std::to_string(number) + "\n got:    " + left.substr(0, 400) +
             "\n golden: " + right.substr(0, 400);
    }
  }
}

void expect_golden(const std::string& got, const std::string& name) {
  const std::filesystem::path golden =
      std::filesystem::path(PETLAB_SOURCE_DIR "/tests/golden/report") / name;
  if (std::getenv("PETLAB_UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(golden.parent_path());
    std::ofstream(golden, std::ios::binary) << got;
  }
  const std::string wanted = read(golden);
  EXPECT_TRUE(got == wanted) << name << " is not the golden file, " << first_difference(got, wanted)
                             << "\nrun with PETLAB_UPDATE_GOLDEN=1 if the change is meant";
}

// The page without the files that it embeds: those are in reports/page and in the charts package.
std::string own_part(std::string page) {
  page.resize(page.find("<script id=\"echarts\">"));
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"<style>", "</style>"},
                                 {"<pre tabindex=\"0\">Apache ECharts", "</pre>"}}) {
    const auto begin = page.find(from) + from.size();
    page.erase(begin, page.find(to, begin) - begin);
  }
  return page;
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
      write_report(report_, folder_ / "out",
                   {Format::markdown, Format::csv, Format::latex, Format::html, Format::figures});
  std::set<std::string> names;
  for (const auto& path : written) {
    const std::string name = path.filename().string();
    names.insert(name);
    if (path.extension() == ".pdf") continue;  // depends on the fonts of the machine
    expect_golden(path.extension() == ".html" ? own_part(read(path)) : read(path), name);
  }
  EXPECT_EQ(names, (std::set<std::string>{
                       "report.md", "table.csv", "table.tex", "runs.csv", "classes.csv",
                       "confusions.csv", "report.html", "accuracy_parameters.svg",
                       "accuracy_parameters.pdf", "accuracy_seconds.svg", "accuracy_seconds.pdf",
                       "seeds.svg", "seeds.pdf", "learning_curves.svg", "learning_curves.pdf",
                       "affinity_mmap-grouped.svg", "affinity_mmap-grouped.pdf"}));
}

}  // namespace
}  // namespace petlab::reports
