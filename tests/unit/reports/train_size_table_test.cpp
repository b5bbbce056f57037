#include "train_size_table.hpp"

#include "chart_engine.hpp"
#include "page_data.hpp"
#include "petlab/reports/render.hpp"
#include "renderers.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace petlab::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Two tasks of 10 test images; zero-shot and two rows at 1, 2 and 16 images of each class. The
/// plan names sizes as a protocol file may: not ascending.
class TrainSizeTableTest : public testing::Test {
 protected:
  TrainSizeTableTest() {
    namespace records = results::sample;
    const auto runs = [](const char* method, std::int64_t trainable,
                         std::vector<std::vector<std::int64_t>> correct) {
      std::vector<records::RunChoice> choices;
      for (std::size_t i = 0; i < correct.size(); ++i)
        choices.push_back({method, "joint", "", i + 1, trainable, correct[i], 1.0});
      return choices;
    };
    const std::vector<records::Row> rows = {{"zero-shot", runs("zero-shot", 0, {{5, 3}, {5, 3}})},
                                            {"coop@16", runs("coop16", 64, {{9, 7}, {9, 9}})},
                                            {"coop@1", runs("coop1", 64, {{5, 5}, {6, 4}})},
                                            {"coop@2", runs("coop2", 64, {{7, 6}, {6, 6}})},
                                            {"vpt@16", runs("vpt16", 32, {{8, 7}, {8, 7}})},
                                            {"vpt@1", runs("vpt1", 32, {{6, 6}, {6, 6}})},
                                            {"vpt@2", runs("vpt2", 32, {{6, 6}, {6, 6}})}};
    for (const std::uint64_t seed : {1U, 2U})
      store_.register_split(records::split(seed));
    store_.set_study(records::study("curve", rows));
    for (const records::Row& row : rows)
      for (const records::RunChoice& run : row.runs)
        if (row.label != "vpt@2" || run.seed == 1)
          store_.record(records::done_run(run, records::split(run.seed)));
    report_ = build_report(store_, "curve");
  }

  results::sample::TemporaryFolder folder_;
  results::RunStore store_{folder_ / "curve.sqlite"};
  Report report_;
};

TEST_F(TrainSizeTableTest, HasALineARowAndAColumnASize) {
  EXPECT_THAT(report_.train_sizes, ElementsAre("1", "2", "16"));
  const TextTable table = make_train_size_table(report_);
  ASSERT_EQ(table.columns.size(), 4U);
  EXPECT_EQ(table.columns[1].title, "1 image");
  EXPECT_EQ(table.columns[3].title, "16 images");
  ASSERT_EQ(table.rows.size(), 3U);
  // Two seeds: t(0.975, 1) = 12.706. coop@16: 80 and 90 %, so 85 ± 12.706 * 7.0711 / sqrt(2).
  EXPECT_THAT(table.rows[0],
              ElementsAre("zero-shot", "40.00 ± 0.00", "40.00 ± 0.00", "40.00 ± 0.00"));
  EXPECT_THAT(table.rows[1], ElementsAre("coop", "50.00 ± 0.00", "62.50 ± 31.77", "85.00 ± 63.53"));
  EXPECT_THAT(table.rows[2], ElementsAre("vpt", "60.00 ± 0.00", "60.00 (n=1)", "75.00 ± 0.00"));
  EXPECT_EQ(place_of(table, 2, 1), Place::best);
  EXPECT_EQ(place_of(table, 1, 1), Place::second);
  EXPECT_EQ(place_of(table, 1, 2), Place::best);
  EXPECT_EQ(place_of(table, 2, 2), Place::none) << "a seed is missing";
  EXPECT_EQ(place_of(table, 0, 2), Place::second);
}

TEST_F(TrainSizeTableTest, RowsAreComparedAtTheLargestSize) {
  const auto row = [&](const std::string& label) -> const Row& {
    for (const Row& one : report_.rows)
      if (one.label == label) return one;
    throw std::out_of_range(label);
  };
  ASSERT_TRUE(report_.best.has_value());
  EXPECT_EQ(report_.rows[*report_.best].label, "coop@16");
  EXPECT_EQ(row("vpt@16").place, Place::second);
  EXPECT_EQ(row("coop@2").place, Place::none);
  EXPECT_TRUE(row("vpt@16").versus_best.has_value());
  EXPECT_FALSE(row("coop@2").versus_best.has_value());
  EXPECT_FALSE(row("coop@2").versus_best.has_value());
  // One test set, so that every size has its gain over zero-shot: 62.5 - 40.
  EXPECT_NEAR(row("coop@2").versus_zero_shot->difference.mean, 0.225, 1e-12);
  EXPECT_EQ(report_.ranked_rows.size(), 3U);
  EXPECT_THAT(report_.notes, testing::Contains(HasSubstr("are those of 16 images.")));
}

TEST_F(TrainSizeTableTest, IsInEveryFormAndDrawn) {
  std::ostringstream text;
  print_table(text, report_, {});
  EXPECT_THAT(text.str(), HasSubstr("Accuracy by training size\n"));
  EXPECT_THAT(markdown_page(report_, "figure.svg"),
              HasSubstr("| coop | _50.00 ± 0.00_ | **62.50 ± 31.77** | **85.00 ± 63.53** |"));
  EXPECT_THAT(table_latex(report_), HasSubstr("Accuracy by training size, study curve."));
  const auto data = chart_data(report_);
  ASSERT_EQ(data.at("sizes").at("lines").size(), 3U);
  EXPECT_EQ(data.at("sizes").at("lines")[1].at("means")[1].at("mean"), 0.625);
  EXPECT_FALSE(data.at("sizes").at("lines")[0].at("trains"));
  ChartEngine engine;
  const std::string svg = engine.svg(data, {"train_sizes", "train_sizes", ""}, 900);
  EXPECT_THAT(svg, testing::AllOf(HasSubstr("coop"), HasSubstr("16 images")));
}

TEST_F(TrainSizeTableTest, IsNothingWhereAStudyHasOneSize) {
  Report one;
  one.rows.resize(2);
  one.rows[0].label = "coop";
  EXPECT_TRUE(make_train_size_table(one).rows.empty());
  EXPECT_FALSE(chart_data(one).contains("sizes"));
  EXPECT_EQ(train_size_text("0.05"), "5 %");
}

}  // namespace
}  // namespace petlab::reports
