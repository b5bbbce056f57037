#include "petlab/reports/quoted.hpp"

#include "petlab/reports/render.hpp"
#include "row_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace petlab::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Report two_rows() {
  Report report;
  report.study = "office-home-10/multi-task";
  report.tasks = {"Art"};
  report.planned = report.finished = 2;
  for (const char* label : {"zero-shot", "coop"}) {
    Row row;
    row.label = label;
    row.task_accuracy = {0.5};
    row.mean = Estimate{.mean = 0.5, .half_width = std::nullopt, .n = 1};
    row.planned = 1;
    row.seeds.resize(1);
    report.rows.push_back(row);
  }
  return report;
}

QuotedNumber number(const std::string& quantity, const std::string& value) {
  return {"office-home-*/multi-task", "coop", quantity, value, "A paper", "7", "Table 1", "me"};
}

TEST(Quoted, PatternsOfStudies) {
  EXPECT_TRUE(matches_study("a/b", "a/b"));
  EXPECT_FALSE(matches_study("a/b", "a/bc"));
  EXPECT_FALSE(matches_study("a/b", "a/"));
  EXPECT_TRUE(matches_study("a/*", "a/bc"));
  EXPECT_TRUE(matches_study("*", ""));
  EXPECT_TRUE(matches_study("*/multi-task", "office/10/multi-task"));
  EXPECT_TRUE(matches_study("o*-10/*task", "office-20-10/multi-task"));
  EXPECT_FALSE(matches_study("*/multi", "office/multi-task"));
}

TEST(Quoted, NumbersStandInColumnsOfTheirOwnWithTheirSource) {
  Report report = two_rows();
  const TextTable before = make_table(report);
  const auto found = add_quoted(report, {number("mean", "84.5"), number("Art", "~80"),
                                         number("parameters", "1,024"), number("Clipart", "1")});
  EXPECT_THAT(found, ElementsAre(true, true, true, false));
  std::vector<std::string> names;
  for (const Quantity& quantity : quoted_quantities(report))
    names.push_back(quantity.name);
  EXPECT_THAT(names, ElementsAre("Art", "mean", "parameters"));

  const TextTable table = make_table(report);
  ASSERT_EQ(table.columns.size(), before.columns.size() + 3);
  for (std::size_t r = 0; r < 2; ++r)
    for (std::size_t c = 0; c < before.columns.size(); ++c)
      EXPECT_EQ(table.rows[r][c], before.rows[r][c]);
  const std::size_t at = before.columns.size();
  EXPECT_EQ(table.columns[at].heading(), "quoted Art %");
  EXPECT_EQ(table.columns[at + 1].heading(), "quoted mean %");
  EXPECT_EQ(table.columns[at + 2].heading(), "quoted trainable");
  EXPECT_EQ(table.rows[0][at + 1], "–");
  EXPECT_EQ(table.rows[1][at], "~80");
  EXPECT_EQ(table.rows[1][at + 1], "84.5");

  EXPECT_THAT(
      make_legend(report),
      testing::IsSupersetOf({"Quoted from A paper, p. 7, Table 1 (checked: me): coop mean %, "
                             "coop Art %, coop trainable."}));
}

TEST(Quoted, ValuesAsPrinted) {
  EXPECT_EQ(quoted_value("84.5"), 84.5);
  EXPECT_EQ(quoted_value("~0.09"), 0.09);
  EXPECT_EQ(quoted_value("149,620,737"), 149620737.0);
  EXPECT_EQ(quoted_value("1,024.5"), 1024.5);
  EXPECT_EQ(quoted_value("-1,024"), -1024.0);
  for (const char* text : {"36,67", "0,123", "1,2345", "1234,567", "1,,234", ",123", "1,",
                           "1,23,456", "1.234,567", "1.5,", "1,+12"})
    EXPECT_EQ(quoted_value(text), std::nullopt) << text;
  EXPECT_EQ(quoted_value("many"), std::nullopt);
  EXPECT_EQ(quoted_value("inf"), std::nullopt);
  EXPECT_EQ(quoted_value(""), std::nullopt);
}

TEST(Quoted, ALineThatIsThereTwiceCountsOnce) {
  Report report = two_rows();
  QuotedNumber elsewhere = number("mean", "84.5");
  elsewhere.page = "8";
  EXPECT_THAT(add_quoted(report, {number("mean", "84.5"), number("mean", "84.5"), elsewhere}),
              ElementsAre(true, true, true));
  EXPECT_THAT(add_quoted(report, {number("mean", "84.5")}), ElementsAre(true));
  EXPECT_EQ(report.rows[1].quoted.size(), 2U);
}

TEST(Quoted, NamesOfQuantitiesAreNoDomains) {
  Report report = two_rows();
  report.tasks = {"mean", "Art", "parameters", "new-classes"};
  for (Row& row : report.rows) {
    row.task_accuracy = {0.1, 0.2, 0.3, 0.4};
    row.trainable = {{1024, 1024}};
  }
  std::vector<std::string> names;
  for (const Quantity& quantity : quantities_of(report))
    names.push_back(quantity.name);
  EXPECT_THAT(names, ElementsAre("Art", "mean", "parameters", "parameters-percent"));
  EXPECT_THAT(add_quoted(report, {number("mean", "50"), number("new-classes", "40")}),
              ElementsAre(true, false));
  EXPECT_DOUBLE_EQ(quoted_quantities(report).front().measured(report.rows[1]).value(), 50.0);
}

TEST(Quoted, NewClassesCanBeQuotedWhereTheyAreTested) {
  Report report = two_rows();
  EXPECT_THAT(add_quoted(report, {number("new-classes", "74.2")}), ElementsAre(false));
  report.tests_new_classes = true;
  EXPECT_THAT(add_quoted(report, {number("new-classes", "74.2"), number("harmonic-mean", "71.7")}),
              ElementsAre(true, true));
}

TEST(Quoted, NothingIsSaidWhereNothingIsQuoted) {
  Report report = two_rows();
  QuotedNumber other = number("mean", "84.5");
  other.study = "icon-home/*";
  EXPECT_THAT(add_quoted(report, {other}), ElementsAre(false));
  other = number("mean", "84.5");
  other.row = "maple";
  EXPECT_THAT(add_quoted(report, {other}), ElementsAre(false));
  std::ostringstream out;
  print_table(out, report);
  EXPECT_THAT(out.str(), Not(HasSubstr("uoted")));
}

}  // namespace
}  // namespace petlab::reports
