#include "known_answers.hpp"

#include "petlab/reports/quoted.hpp"
#include "petlab/reports/render.hpp"
#include "renderers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace petlab::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// One finished row and one that has no run yet.
Report one_finished_of_two() {
  Report report;
  report.study = "office/known-answer";
  report.tasks = {"Art", "Product"};
  report.planned = 2;
  report.finished = 1;
  Row done;
  done.label = "zero-shot";
  done.task_accuracy = {0.845, 0.9};
  done.mean = Estimate{.mean = 0.8725, .half_width = std::nullopt, .n = 1};
  done.trainable = {{138348, 138348}};
  done.trainable_percent = 0.0925;
  done.planned = 1;
  done.seeds.resize(1);
  Row missing;
  missing.label = "mmap";
  missing.task_accuracy = {std::nullopt, std::nullopt};
  missing.planned = 1;
  missing.missing_seeds = {1};
  report.rows = {done, missing};
  return report;
}

QuotedNumber answer(const std::string& row, const std::string& quantity, const std::string& value,
                    std::optional<double> within) {
  return {"*/known-answer", row, quantity, value, "A paper", "7", "Table 1", "me", within};
}

std::vector<std::string> column(const TextTable& table, const std::string& heading) {
  std::vector<std::string> cells;
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    if (table.columns[c].heading() == heading)
      for (const auto& row : table.rows)
        cells.push_back(row[c]);
  return cells;
}

TEST(KnownAnswers, AreMetWithinTheirDistanceOrNotMetOrNotRun) {
  Report report = one_finished_of_two();
  const auto found = add_quoted(
      report,
      {answer("zero-shot", "Art", "84.4", 0.1), answer("zero-shot", "Product", "89.8", 0.1),
       answer("zero-shot", "mean", "87.25", 0.0), answer("zero-shot", "parameters", "138,348", 0.0),
       answer("zero-shot", "parameters-percent", "~0.09", 0.005),
       answer("mmap", "mean", "90.1", 5.0), answer("zero-shot", "mean", "10", std::nullopt)});
  EXPECT_THAT(found, testing::Each(true));
  const TextTable table = make_known_answers_table(report);
  EXPECT_THAT(column(table, "verdict"),
              ElementsAre("met", "not met", "met", "met", "met", "not run"))
      << "a distance that is exactly the allowed one is met; one without a distance is no answer";
  EXPECT_THAT(column(table, "measured"),
              ElementsAre("84.500", "90.000", "87.250", "138,348", "0.093", "–"));
  EXPECT_THAT(make_known_answers_legend(report).front(),
              "Of 6 known answers 4 met, 1 not met, 1 not run.");
  EXPECT_THAT(known_answers_csv(report),
              AllOf(HasSubstr("row,quantity,published,within,measured,verdict\n"),
                    HasSubstr("zero-shot,Product,89.8,0.1,90,not met\n"),
                    HasSubstr("mmap,mean,90.1,5,,not run\n")));
}

TEST(KnownAnswers, ALineThatIsThereTwiceIsOneAnswer) {
  Report report = one_finished_of_two();
  const QuotedNumber mean = answer("zero-shot", "mean", "87.25", 0.1);
  add_quoted(report, {mean, mean});
  EXPECT_THAT(make_known_answers_legend(report).front(),
              "Of 1 known answers 1 met, 0 not met, 0 not run.");
}

TEST(KnownAnswers, OfARowWithGapsAreNotRun) {
  Report report = one_finished_of_two();
  report.rows[0].planned = 2;
  report.rows[0].missing_seeds = {2};
  add_quoted(report, {answer("zero-shot", "mean", "87.25", 1.0)});
  EXPECT_THAT(column(make_known_answers_table(report), "verdict"), ElementsAre("not run"));
}

TEST(KnownAnswers, StandInEveryRenderingAndNowhereWithoutThem) {
  Report report = one_finished_of_two();
  add_quoted(report, {answer("zero-shot", "mean", "87.25", std::nullopt)});
  EXPECT_THAT(make_known_answers_table(report).rows, IsEmpty());
  EXPECT_THAT(make_known_answers_legend(report), IsEmpty());
  EXPECT_FALSE(has_known_answers(report));
  std::ostringstream without;
  print_table(without, report);
  EXPECT_THAT(without.str(), Not(HasSubstr("nown answers")));

  add_quoted(report, {answer("zero-shot", "mean", "86", 0.5)});
  std::ostringstream with;
  print_table(with, report);
  EXPECT_THAT(with.str(), HasSubstr("not met"));
  EXPECT_THAT(markdown_page(report, ""), HasSubstr("not met"));
  EXPECT_THAT(table_latex(report), HasSubstr("not met"));
}

}  // namespace
}  // namespace petlab::reports
