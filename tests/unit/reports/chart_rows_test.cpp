#include "chart_rows.hpp"

#include "page_data.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::reports {
namespace {

using testing::HasSubstr;

// Rows of growing accuracy, the first of which is zero-shot; every `grouped`-th row found groups.
Report study_of(std::size_t rows, std::size_t seeds, std::size_t grouped = 0) {
  Report report;
  report.study = "large";
  report.tasks = {"line"};
  report.zero_shot = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    Row row;
    row.label = "row-" + std::to_string(i);
    row.method = i == 0 ? "zero-shot" : "coop";
    row.mean = Estimate{.mean = 0.001 * static_cast<double>(i), .half_width = 0.01, .n = 1};
    row.task_accuracy = {row.mean->mean};
    for (std::size_t s = 0; s < seeds; ++s) {
      SeedResult seed;
      seed.seed = s;
      seed.tasks = {{.task = "line",
                     .n_test = 1000,
                     .n_correct = static_cast<std::int64_t>(i),
                     .predictions = {}}};
      seed.parameters = {
          {.scope = "shared", .owner = "", .trainable = static_cast<std::int64_t>(s)}};
      row.seeds.push_back(seed);
      if (grouped == 0 || i % grouped != 0) continue;
      results::GroupingRecord found;
      found.tasks = {"line"};
      found.affinity = {1.0};
      found.partition = {{"line"}};
      report.groupings.push_back({row.label, s, found});
    }
    report.rows.push_back(row);
    report.ranked_rows.push_back(i);
  }
  return report;
}

TEST(ChartRows, ShowsEverythingOfAnOrdinaryStudy) {
  const Report report = study_of(40, 5, 4);
  const ChartRows shown = chart_rows(report);
  EXPECT_EQ(shown.rows.size(), 40U);
  EXPECT_EQ(shown.seeds, 5U);
  EXPECT_EQ(shown.grouped.size(), 10U);
  EXPECT_TRUE(shown.ranks);
  EXPECT_EQ(left_out_text(report, shown, false), "");
  EXPECT_EQ(left_out_text(report, shown, true), "");
}

TEST(ChartRows, ShowsTheReferencesAndTheBestRowsOfALargeStudyAndSaysSo) {
  const Report report = study_of(1000, 10, 2);
  const ChartRows shown = chart_rows(report);
  ASSERT_EQ(shown.rows.size(), 41U);
  EXPECT_EQ(shown.rows[0], 0U);  // zero-shot, the worst of all
  EXPECT_EQ(shown.rows[1], 960U);
  EXPECT_EQ(shown.rows.back(), 999U);
  EXPECT_EQ(shown.seeds, 2U);
  EXPECT_EQ(shown.grouped.size(), 10U);  // of two seeds each
  EXPECT_FALSE(shown.ranks);
  EXPECT_THAT(left_out_text(report, shown, false), HasSubstr("41 best of 1,000 rows"));
  EXPECT_THAT(left_out_text(report, shown, false), HasSubstr("first 2 of each row"));
  EXPECT_THAT(left_out_text(report, shown, true), HasSubstr("10 of the 500 rows"));
}

TEST(ChartRows, OneRowWithManySeedsKeepsItsMeans) {
  const Report report = study_of(2, 10'000);
  EXPECT_EQ(chart_rows(report).seeds, 50U);
  const auto data = chart_data(report);
  ASSERT_EQ(data["rows"].size(), 2U);
  EXPECT_EQ(data["rows"][1]["seeds"].size(), 50U);
  EXPECT_NEAR(data["rows"][1]["trainable"].get<double>(), 4999.5, 1e-6);  // over all seeds
  EXPECT_NEAR(data["rows"][1]["tasks"][0].get<double>(), 0.001, 1e-9);
}

TEST(ChartRows, TheDataOfTheChartsStopsGrowing) {
  const Report small = study_of(400, 10, 3);
  const Report large = study_of(4000, 10, 3);
  EXPECT_LT(chart_data(large).dump().size(), chart_data(small).dump().size() * 11 / 10);
}

}  // namespace
}  // namespace petlab::reports
