#include "petlab/reports/shown_images.hpp"

#include "petlab/base/error.hpp"
#include "petlab/reports/render.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace petlab::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The study "demo": mmap-grouped is the best row, vpt-per-task has finished seed 1 alone. A
/// thumbnail is the text "png of SAMPLE".
class ShownImagesTest : public testing::Test {
 protected:
  /// The page without the charting library.
  std::string html() {
    write_report(report_, folder_ / "out", {Format::html});
    std::ifstream in(folder_ / "out/report.html");
    const std::string page{std::istreambuf_iterator<char>(in), {}};
    return page.substr(0, page.find("<script id=\"echarts\">"));
  }

  void show(std::size_t most) {
    show_images(report_, most, [this](const std::string& task, const std::string& sample_id) {
      ++asked_[task + " " + sample_id];
      return "png of " + sample_id;
    });
  }

  const RowImages& shown(const std::string& label) const {
    for (const RowImages& one : report_.shown_images.value())
      if (report_.rows[one.row].label == label) return one;
    throw std::out_of_range(label);
  }

  results::sample::TemporaryFolder folder_;
  results::RunStore store_ = sample::demo_store(folder_ / "demo.sqlite");
  Report report_ = build_report(store_, "demo");
  std::map<std::string, int> asked_;  // how often for each thumbnail
};

TEST_F(ShownImagesTest, APageHasNoneUnlessTheyAreAskedFor) {
  EXPECT_FALSE(report_.shown_images);
  const std::string page = html();
  EXPECT_THAT(page, Not(HasSubstr("data:image/png")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("Images that rows disagree on")));
}

TEST_F(ShownImagesTest, EachRowHasTheImagesThatItAndTheBestAnswerDifferently) {
  show(2);
  ASSERT_EQ(report_.shown_images->size(), 3U) << "all rows but the best one";
  const RowImages& coop = shown("coop-joint");
  // The first 9, 8, 9 and 6, 6, 5 images of the tasks are right with mmap, 6, 6, 7 and 4, 5, 4 with
  // coop: line/6 to line/8, emoji/4 and emoji/5 differ.
  EXPECT_EQ(coop.tested, 20);
  EXPECT_EQ(coop.different, 5);
  EXPECT_EQ(coop.only_best, 11);
  EXPECT_EQ(coop.only_row, 0);
  ASSERT_EQ(coop.images.size(), 2U);
  EXPECT_EQ(coop.images[0].picture, "line/7") << "the only one that differs with all seeds";
  EXPECT_EQ(coop.images[0].png, "png of line/7");
  const RowImages& vpt = shown("vpt-per-task");
  EXPECT_EQ(vpt.only_row, 5);
  EXPECT_EQ(vpt.images[0].answers.size(), 1U) << "over the seed that both have";
  for (const auto& [image, times] : asked_)
    EXPECT_EQ(times, 1) << image;
}

TEST_F(ShownImagesTest, TheyAreThoseOfCompareInItsOrder) {
  show(100);
  for (const char* label : {"zero-shot", "coop-joint", "vpt-per-task"}) {
    const CompareResult compared =
        compare(find_side(store_, "mmap-grouped", ""), find_side(store_, label, ""));
    const std::vector<ShownImage>& images = shown(label).images;
    ASSERT_EQ(images.size(), compared.disagreements.size()) << label;
    for (std::size_t i = 0; i < images.size(); ++i)
      EXPECT_EQ(images[i].picture, compared.disagreements[i].picture) << label;
    EXPECT_EQ(shown(label).only_best, compared.wins.a) << label;
    EXPECT_EQ(shown(label).only_row, compared.wins.b) << label;
  }
}

TEST_F(ShownImagesTest, ThePageHasThumbnailClassDomainAndAnswers) {
  show(2);
  const std::string page = html();
  EXPECT_THAT(page, HasSubstr("<details><summary>coop-joint: 5 of 20 images answered differently; "
                              "over all seeds the best row alone is right 11 times, this row alone "
                              "0 times</summary>"));
  EXPECT_THAT(page, HasSubstr("<li><img alt=\"line/7\" title=\"line/7\" "
                              "src=\"data:image/png;base64,cG5nIG9mIGxpbmUvNw==\"><div>"
                              "<strong>lamp</strong> (line)<div>mmap-grouped: <span "
                              "class=\"best\">lamp</span> 3×</div><div>coop-joint: bed 3×</div>"));
  EXPECT_THAT(page, HasSubstr("under its licence"));
  // Other files have none.
  write_report(report_, folder_ / "out", {Format::markdown, Format::json, Format::latex});
  for (const char* file : {"report.md", "report.json", "table.tex"}) {
    std::ifstream in(folder_ / "out" / file);
    EXPECT_THAT(std::string(std::istreambuf_iterator<char>(in), {}),
                Not(HasSubstr("cG5nIG9mIGxpbmUvNw")))
        << file;
  }
}

TEST_F(ShownImagesTest, NamesAreTextNeverMarkup) {
  show(1);
  ShownImage& image = report_.shown_images->front().images.front();
  image.picture = "\"><script>alert(1)</script>";
  image.truth = "<b>class";
  image.task = "<i>task";
  image.answers.front().a = "<u>answer";
  const std::string page = html();
  EXPECT_THAT(page, HasSubstr("alt=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\""));
  for (const char* markup : {"<script>alert", "<b>class", "<i>task", "<u>answer"})
    EXPECT_THAT(page, Not(HasSubstr(markup)));
}

TEST_F(ShownImagesTest, WithoutABestRowThePageSaysWhy) {
  report_.best.reset();
  show(5);
  EXPECT_TRUE(asked_.empty());
  const std::string page = html();
  EXPECT_THAT(page, HasSubstr("There is no best row to compare with"));
  EXPECT_THAT(page, Not(HasSubstr("data:image/png")));
}

TEST_F(ShownImagesTest, RunsWhosePredictionsTheReportLeftOutDoNotCount) {
  report_ = build_report(store_, "demo", /*most_predictions=*/100);  // the first seed of each row
  show(100);
  EXPECT_EQ(shown("coop-joint").tested, 20);
  EXPECT_EQ(shown("coop-joint").only_best, 5);
  report_ = build_report(store_, "demo", /*most_predictions=*/0);
  show(100);
  EXPECT_EQ(shown("coop-joint").tested, 0);
  EXPECT_THAT(html(), HasSubstr("coop-joint: the page has no answers of it and of the best row"));
}

TEST_F(ShownImagesTest, AThumbnailThatIsNotToBeHadIsAnError) {
  const Thumbnail missing = [](const std::string&, const std::string& sample_id) -> std::string {
    base::throw_data_error("no image " + sample_id);
  };
  EXPECT_THROW(show_images(report_, 1, missing), base::Error);
}

}  // namespace
}  // namespace petlab::reports
