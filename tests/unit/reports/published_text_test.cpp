#include "machine_paths.hpp"
#include "petlab/reports/render.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

/// What people publish: no path of a machine, and numbers that a printer sets as numbers.
namespace petlab::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MachinePaths, OnlyTheLastPartStays) {
  EXPECT_EQ(without_machine_paths("root = /srv/ann/data/set\ndir = \"/srv/clip/\"\n"),
            "root = …/set\ndir = \"…/clip\"\n");
  EXPECT_EQ(without_machine_paths("/srv/a.jpg is no image, '/srv/b.jpg' neither"),
            "…/a.jpg is no image, '…/b.jpg' neither");
}

TEST(MachinePaths, OtherSlashesStay) {
  for (const char* text : {"emoji 83 / 489", "12 images/s", "icon-home/multi-task", "a and/or b",
                           "https://example.org/a/b", "/data", "../set", "n / m", "=", "/", ""})
    EXPECT_EQ(without_machine_paths(text), text);
}

class PublishedText : public testing::Test {
 protected:
  Report report() {
    Report made = build_report(sample::demo_store(folder_ / "runs.sqlite"), "demo");
    made.protocol += "root = /srv/ann/data/set\n";
    made.facts.emplace_back("Class names", "/srv/ann/names.csv");
    made.notes.emplace_back("Data: /srv/ann/data/set has one image.");
    for (Failure& failure : made.failures)
      failure.error = "/srv/ann/clip/model.safetensors is cut short";
    return made;
  }

  std::string file(const std::string& name) const {
    std::ifstream in(folder_ / "out" / name);
    EXPECT_TRUE(in) << name;
    return {std::istreambuf_iterator<char>(in), {}};
  }

  results::sample::TemporaryFolder folder_;
};

TEST_F(PublishedText, NamesNoPathOfTheMachine) {
  const Report made = report();
  ASSERT_FALSE(made.failures.empty());
  write_report(made, folder_ / "out", {Format::markdown, Format::html, Format::latex});
  for (const char* name : {"report.md", "report.html", "table.tex"}) {
    EXPECT_THAT(file(name), Not(HasSubstr("/srv/ann"))) << name;
  }
  EXPECT_THAT(file("report.md"), HasSubstr("…/set"));
  EXPECT_THAT(file("table.tex"), HasSubstr("\\ldots{}/set"));
  EXPECT_THAT(file("report.html"), HasSubstr("…/model.safetensors is cut short"));
}

TEST_F(PublishedText, LatexHasMinusSignsAndNotesBehindTheFloat) {
  Report made = report();
  made.rows[1].label = "coop-4-joint";
  ASSERT_TRUE(made.rows[1].versus_zero_shot);
  made.rows[1].versus_zero_shot->difference.mean = -0.0125;
  write_report(made, folder_ / "out", {Format::latex});
  const std::string text = file("table.tex");
  EXPECT_THAT(text, HasSubstr("& $-$1.25"));
  EXPECT_THAT(text, HasSubstr("coop-4-joint"));
  EXPECT_THAT(text, Not(testing::ContainsRegex("& -[0-9]")));
  EXPECT_LT(text.find("\\end{table}"), text.find("half-width"));
  EXPECT_LT(text.find("\\end{table}"), text.find("Data: "));
}

TEST_F(PublishedText, ThePageBeginsWithVerdictPlotAndTable) {
  write_report(report(), folder_ / "out", {Format::html});
  const std::string text = file("report.html");
  std::size_t before = 0;
  for (const char* part : {"class=\"verdict\"", "data-chart=\"accuracy_parameters\"",
                           "class=\"tools screen\"", "<summary>Notes: ", "<summary>Facts: "}) {
    const std::size_t at = text.find(part);
    ASSERT_NE(at, std::string::npos) << part;
    EXPECT_GT(at, before) << part;
    before = at;
  }
}

}  // namespace
}  // namespace petlab::reports
