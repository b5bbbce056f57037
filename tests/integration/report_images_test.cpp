#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

// `petlab report --images`: thumbnails of test images on the page.
namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A study of three rows that is done.
class ReportImages : public testing::Test {
 protected:
  void SetUp() override {
    const std::string study = workshop_.write_study(
        "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
        "[row.probe]\nmethod = linear-probe\nsharing = joint\n"
        "[row.full]\nmethod = full-fine-tuning\nsharing = per-task\nlearning-rate = 0.01\n");
    const Output run = run_petlab(run_arguments(study, "a.sqlite"), workshop_.folder());
    ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
  }

  [[nodiscard]] Output report(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"report", "a.sqlite"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_petlab(arguments, workshop_.folder());
  }

  /// The page without the charting library.
  [[nodiscard]] std::string page() const {
    std::ifstream in(workshop_.folder() / "out/report.html");
    const std::string html{std::istreambuf_iterator<char>(in), {}};
    return html.substr(0, html.find("<script id=\"echarts\">"));
  }

  [[nodiscard]] static std::size_t thumbnails(const std::string& page) {
    const std::string mark = "<img alt=";
    std::size_t count = 0;
    for (std::size_t at = page.find(mark); at != std::string::npos; at = page.find(mark, at + 1))
      ++count;
    return count;
  }

  /// Ends with this exit code and one sentence, and writes no page.
  void expect_refused(const Output& output, int exit_code, const std::string& why) const {
    EXPECT_EQ(output.exit_code, exit_code) << output.err;
    EXPECT_THAT(output.err, AllOf(HasSubstr("--images"), HasSubstr(why)));
    EXPECT_EQ(output.err.find('\n'), output.err.size() - 1) << output.err;
    EXPECT_FALSE(fs::exists(workshop_.folder() / "out"));
  }

  Workshop workshop_;
};

TEST_F(ReportImages, AreOnThePageWhereTheyAreAskedFor) {
  ASSERT_EQ(report({"--out", "out"}).exit_code, 0);
  EXPECT_THAT(page(), Not(HasSubstr("data:image/png")));
  const Output output = report({"--out", "out", "--images", "3"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  const std::string html = page();
  EXPECT_THAT(thumbnails(html), AllOf(testing::Ge(1U), testing::Le(6U))) << "3 of each other row";
  EXPECT_THAT(html, HasSubstr("src=\"data:image/png;base64,iVBORw0KGgo"));
  EXPECT_THAT(html, HasSubstr("Images that rows disagree on"));
}

TEST_F(ReportImages, NeedAPageToStandOn) {
  expect_refused(report({"--images", "3"}), 2, "expected --out");
  expect_refused(report({"--out", "out", "--format", "csv,markdown", "--images", "3"}), 2,
                 "expected html");
  expect_refused(report({"--out", "out", "--images", "101"}), 2, "at most 100");
  expect_refused(report({"--out", "out", "--images=-1"}), 2, "at least 0");
}

TEST_F(ReportImages, AreThoseThatWereTested) {
  const fs::path pictures = workshop_.folder() / "pictures";
  fs::rename(pictures, workshop_.folder() / "moved");
  expect_refused(report({"--out", "out", "--images", "3"}), 3, "not on this machine");
  EXPECT_EQ(report({"--out", "elsewhere", "--images", "3", "--dataset-root", "moved"}).exit_code,
            0);

  const fs::path one = workshop_.folder() / "moved/Art/mug/picture0.jpg";
  ASSERT_TRUE(fs::exists(one));
  fs::copy_file(workshop_.folder() / "moved/Art/bed/picture0.jpg", one,
                fs::copy_options::overwrite_existing);
  expect_refused(report({"--out", "out", "--images", "3", "--dataset-root", "moved"}), 3,
                 "are not those that study 'small'");
  EXPECT_EQ(report({"--out", "out"}).exit_code, 0) << "a report without them needs none";
}

}  // namespace
}  // namespace petlab::tests
