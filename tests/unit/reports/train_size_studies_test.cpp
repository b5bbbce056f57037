#include "train_size_studies.hpp"

#include "petlab/reports/render.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace petlab::reports {
namespace {

namespace records = results::sample;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Studies of zero-shot and coop with two seeds each, at 20 and 5 % of the images.
class TrainSizeStudiesTest : public testing::Test {
 protected:
  TrainSizeStudiesTest() {
    add("t/20", "0.2", 1, {8, 8});
    add("t/05", "0.05", 3, {5, 5});
  }

  /// Seeds `first` and the next; coop has so many of 10 images of each task right.
  void add(const std::string& name, const std::string& size, std::uint64_t first,
           const std::vector<std::int64_t>& correct, const std::string& more = "",
           const std::string& label = "coop") {
    std::vector<records::Row> rows = {{"zero-shot", {}}, {label, {}}};
    for (const std::uint64_t seed : {first, first + 1}) {
      store_.register_split(records::split(seed));
      rows[0].runs.push_back(
          {.method = "zero-shot", .seed = seed, .trainable = 0, .correct = {4, 4}});
      rows[1].runs.push_back({.method = "coop", .seed = seed, .correct = correct});
    }
    results::StudyRecord study = records::study(name, rows);
    study.protocol += "description = " + size +
                      "\n[dataset]\nname = icon-home\ntrain-fraction = " + size + "\n" + more +
                      "[train]\nepochs = 2\n[row.coop]\nlearning-rate = " + size + "\n";
    store_.set_study(study);
    for (const records::Row& row : rows)
      for (const records::RunChoice& run : row.runs)
        store_.record(records::done_run(run, records::split(run.seed)));
    studies_.push_back(build_report(store_, name));
  }

  std::string file(const std::string& name) const {
    std::ifstream in(folder_ / name);
    EXPECT_TRUE(in) << name;
    return {std::istreambuf_iterator<char>(in), {}};
  }

  records::TemporaryFolder folder_;
  results::RunStore store_{folder_ / "sizes.sqlite"};
  std::vector<Report> studies_;
};

TEST_F(TrainSizeStudiesTest, StudiesThatDifferInTheirSizeAloneAreAFamily) {
  const std::vector<TrainSizes> families = train_sizes_over(studies_);
  ASSERT_EQ(families.size(), 1U);
  EXPECT_THAT(families[0].sizes, ElementsAre("0.05", "0.2"));
  EXPECT_FALSE(families[0].one_test_set);
  ASSERT_EQ(families[0].lines.size(), 2U);
  EXPECT_FALSE(families[0].lines[0].trains);
  EXPECT_TRUE(families[0].lines[1].trains);
  const TextTable table = make_train_size_table(families[0]);
  EXPECT_EQ(table.columns[1].title, "5 %");
  EXPECT_THAT(table.rows[1], ElementsAre("coop", "50.00 ± 0.00", "80.00 ± 0.00"));
  EXPECT_EQ(place_of(table, 1, 2), Place::best);
  EXPECT_THAT(make_train_size_legend(families[0]),
              testing::Contains(HasSubstr("test images differ from column to column")));
}

TEST_F(TrainSizeStudiesTest, OthersAreNone) {
  add("other data", "0.4", 5, {9, 9}, "domains = line,emoji\n");
  add("other row", "0.4", 7, {9, 9}, "", "coop-long");
  add("t/20 again", "0.2", 9, {1, 1});
  store_.set_study({"planned", studies_[0].protocol, {}});
  studies_.push_back(build_report(store_, "planned"));
  const std::vector<TrainSizes> families = train_sizes_over(studies_);
  ASSERT_EQ(families.size(), 1U);
  EXPECT_THAT(families[0].sizes, ElementsAre("0.05", "0.2"));
  EXPECT_DOUBLE_EQ(families[0].lines[1].rows[1]->mean->mean, 0.8) << "the first of one size counts";
  EXPECT_TRUE(train_sizes_over({studies_[0]}).empty());
  EXPECT_TRUE(train_sizes_over({studies_[0], studies_[2]}).empty());
}

TEST_F(TrainSizeStudiesTest, ALargestSizeGivesAllOfThemOneTestSet) {
  studies_.clear();
  add("s/20", "0.2", 11, {8, 8}, "largest-train-size = 0.4\n");
  add("s/05", "0.05", 13, {5, 5}, "largest-train-size = 0.4\n");
  ASSERT_EQ(train_sizes_over(studies_).size(), 1U);
  EXPECT_TRUE(train_sizes_over(studies_)[0].one_test_set);
}

TEST_F(TrainSizeStudiesTest, ThePageOverThemHasChartAndTable) {
  const Page page{.title = "Sizes", .studies = studies_};
  write_report(page, folder_ / "out", {Format::html, Format::figures});
  const std::string html = file("out/report.html");
  EXPECT_THAT(html, AllOf(HasSubstr("data-chart=\"train_sizes\" data-study=\"2\""),
                          HasSubstr("{\"sizes\":{\"sizes\":[\"5 %\",\"20 %\"]"),
                          HasSubstr("<td class=\"best\">80.00 ± 0.00</td>"),
                          HasSubstr("test images differ from size to size")));
  const std::string svg = file("out/figures/train_sizes.svg");
  for (const char* text : {"coop", "zero-shot", "5 %", "20 %"})
    EXPECT_THAT(svg, HasSubstr(text));
  EXPECT_THAT(file("out/figures/train_sizes.pdf"), testing::StartsWith("%PDF-1."));
  std::ostringstream text;
  print_joint_tables(text, studies_);
  EXPECT_THAT(text.str(), AllOf(HasSubstr("Accuracy by training size"), HasSubstr("80.00")));

  write_report(studies_[0], folder_ / "one", {Format::html, Format::figures});
  EXPECT_THAT(file("one/report.html"), Not(HasSubstr("data-chart=\"train_sizes\"")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "one/figures/train_sizes.svg"));
}

}  // namespace
}  // namespace petlab::reports
