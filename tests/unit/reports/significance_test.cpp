#include "petlab/reports/render.hpp"
#include "petlab/reports/report.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace petlab::reports {
namespace {

namespace records = results::sample;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using Counts = std::vector<std::vector<std::int64_t>>;  // right answers of 10: [seed][task]

struct SampleRow {
  std::string label;
  std::string method;
  std::string sharing;
  Counts correct;
  std::int64_t trainable = 512;
  std::optional<std::string> trait = {};
};

constexpr std::int64_t kBackbone = 100000;  // parameters of the sample records' backbone

class SignificanceTest : public testing::Test {
 protected:
  Report report_of(const std::vector<SampleRow>& rows) {
    results::RunStore store(folder_ / "runs.sqlite");
    std::vector<records::Row> plan;
    for (const SampleRow& row : rows) {
      records::Row planned{row.label, {}};
      for (std::size_t s = 0; s < row.correct.size(); ++s) {
        planned.runs.push_back({.method = row.method,
                                .sharing = row.sharing,
                                .seed = s + 1,
                                .trainable = row.trainable,
                                .correct = row.correct[s]});
      }
      plan.push_back(std::move(planned));
    }
    results::StudyRecord study = records::study("sample", plan);
    if (!margin_.empty()) study.protocol += "equivalence-margin = " + margin_ + "\n";
    store.set_study(study);
    for (std::size_t i = 0; i < plan.size(); ++i) {
      for (const records::RunChoice& choice : plan[i].runs) {
        store.register_split(records::split(choice.seed));
        results::RunRecord run = records::done_run(choice, records::split(choice.seed));
        run.method_trait = rows[i].trait;
        store.record(run);
      }
    }
    return build_report(store, "sample");
  }

  std::string margin_;  // of the study
  records::TemporaryFolder folder_;
};

const std::vector<SampleRow> kRows = {
    {"zero", "zero-shot", "joint", {{5, 3}, {5, 4}, {6, 3}, {4, 4}, {6, 4}}, 0},
    {"a", "coop", "joint", {{6, 4}, {7, 5}, {7, 4}, {6, 5}, {7, 5}}},
    {"b", "mmap", "joint", {{8, 6}, {8, 6}, {9, 6}, {7, 7}, {9, 8}}},
    {"c", "vpt", "joint", {{8, 5}, {8, 7}, {8, 7}, {8, 7}, {9, 6}}},
    {"full",
     "full-fine-tuning",
     "per-task",
     {{7, 6}, {7, 7}, {8, 5}, {7, 5}, {8, 7}},
     2 * kBackbone}};

// SciPy 1.17: stats.ttest_rel(row, reference).pvalue over the seeds' means, times the four rows
// with this reference; intervals stats.t.ppf(1 - 0.025 / 4, 4) * stats.sem(row - reference).
TEST_F(SignificanceTest, ComparesRowsWithZeroShot) {
  const Report report = report_of(kRows);
  ASSERT_EQ(report.zero_shot, 0U);
  EXPECT_FALSE(report.rows[0].versus_zero_shot.has_value());
  const Comparison& a = *report.rows[1].versus_zero_shot;
  EXPECT_EQ(a.reference, 0U);
  EXPECT_EQ(a.difference.n, 5);
  EXPECT_NEAR(a.difference.mean, 0.12, 1e-12);
  EXPECT_NEAR(*a.p, 0.0006081849444633356, 1e-12);
  EXPECT_NEAR(*a.p_bonferroni, 4 * 0.0006081849444633356, 1e-12);
  const Comparison& b = *report.rows[2].versus_zero_shot;
  EXPECT_NEAR(*b.p, 4.545129572545693e-05, 1e-12);
  EXPECT_NEAR(*b.p_bonferroni, 4 * 4.545129572545693e-05, 1e-12);
  EXPECT_TRUE(b.is_real());
  for (std::size_t i = 1; i < report.rows.size(); ++i) {
    const Comparison& one = *report.rows[i].versus_zero_shot;
    EXPECT_EQ(one.is_real(), one.difference.excludes_zero()) << i;
  }
}

TEST_F(SignificanceTest, KnowsTheBaselineByWhatItsRunsSayAndNotByItsName) {
  const SampleRow cache{"cache", "tip", "joint", {{6, 6}, {7, 6}}, 0, ""};
  const SampleRow frozen{"frozen", "as-it-is", "joint", {{5, 5}, {5, 6}}, 0, "baseline"};
  const SampleRow trained{"trained", "zero-shot", "joint", {{7, 7}, {7, 8}}, 512, ""};
  EXPECT_EQ(report_of({cache, trained, frozen}).zero_shot, 2U);
}

TEST_F(SignificanceTest, TakesARunThatTrainedNothingForTheBaselineWhereItDoesNotSayWhatItIs) {
  const SampleRow nothing{"nothing", "as-it-is", "joint", {{5, 5}, {5, 6}}, 0};
  const SampleRow trained{"trained", "coop", "joint", {{7, 7}, {7, 8}}};
  EXPECT_EQ(report_of({trained, nothing}).zero_shot, 1U);
  EXPECT_FALSE(report_of({trained}).zero_shot.has_value());
  const SampleRow cache{"cache", "tip", "joint", {{6, 6}, {7, 6}}, 0};
  EXPECT_THAT(report_of({nothing, trained}).notes, Not(Contains(HasSubstr("taken for zero-shot"))));
  EXPECT_THAT(report_of({nothing, trained, cache}).notes,
              Contains("Row 'nothing' is taken for zero-shot because its runs trained nothing; so "
                       "did those of 'cache', and none of them says what its method is."));
}

TEST_F(SignificanceTest, KnowsFullFineTuningByTheNumberOfParametersThatItTrains) {
  const Counts counts = {{5, 5}, {5, 6}};
  const SampleRow one_tower{"one", "full-fine-tuning", "per-task", counts, kBackbone};
  const SampleRow shared{"shared", "full-fine-tuning", "joint", counts, 2 * kBackbone};
  const SampleRow copies{"copies", "whatever", "per-task", counts, 2 * kBackbone};
  EXPECT_FALSE(report_of({one_tower, shared}).single_task.has_value());
  EXPECT_EQ(report_of({one_tower, shared, copies}).single_task, 2U);
}

TEST_F(SignificanceTest, ComparesRowsWithTheBestOfTheOthers) {
  const Report report = report_of(kRows);
  ASSERT_EQ(report.best, 2U);
  EXPECT_TRUE(report.rows[2].versus_best->may_be_best);
  EXPECT_NEAR(*report.rows[2].versus_best->difference, 0.01, 1e-12);
  EXPECT_TRUE(report.rows[3].versus_best->may_be_best);
  EXPECT_NEAR(*report.rows[3].versus_best->difference, -0.01, 1e-12);
  EXPECT_FALSE(report.rows[0].versus_best->may_be_best);
  EXPECT_EQ(*report.rows[0].versus_best->high, 0.0);
  EXPECT_THAT(report.notes,
              Contains(testing::AllOf(HasSubstr("The best mean is that of 'b'"), HasSubstr("'c'"),
                                      HasSubstr("That is no proof that they are equal"))));
}

TEST_F(SignificanceTest, SaysWhenTheBestRowStandsAlone) {
  const Report report = report_of({kRows[0], kRows[1], kRows[2]});
  EXPECT_FALSE(report.rows[1].versus_best->may_be_best);
  EXPECT_EQ(*report.rows[2].versus_best->low, 0.0);
  EXPECT_THAT(
      report.notes,
      Contains("The best mean is that of 'b'; no other row without gaps is better (95 % for all of "
               "them together)."));
}

// Ten points that a test does not tell from the best are no shared first place.
TEST_F(SignificanceTest, NotSignificantIsNotEquivalent) {
  const std::vector<SampleRow> rows = {{"a", "coop", "joint", {{9, 7}, {6, 6}, {9, 9}}},
                                       {"b", "mmap", "joint", {{6, 6}, {7, 7}, {7, 7}}}};
  const Report report = report_of(rows);
  EXPECT_NEAR(*report.rows[1].versus_best->difference, -0.1, 1e-12);
  EXPECT_TRUE(report.rows[1].versus_best->may_be_best);
  std::ostringstream out;
  print_table(out, report);
  EXPECT_THAT(out.str(), HasSubstr("-10.00"));
  EXPECT_THAT(out.str(), HasSubstr(" n.s."));
  EXPECT_THAT(out.str(), Not(HasSubstr("≈")));
  // With a margin of the protocol: still not equivalent to the best.
  margin_ = "1";
  EXPECT_THAT(report_of(rows).notes,
              Contains(HasSubstr("no more than 1.00 points below the best (≈): none")));
}

TEST_F(SignificanceTest, EquivalentIsWhatTheIntervalShowsToBeWithinTheMarginOfTheProtocol) {
  margin_ = "20";
  const Report report =
      report_of({{"a", "coop", "joint", {{9, 8}, {8, 8}, {9, 9}, {8, 8}, {9, 8}}},
                 {"b", "mmap", "joint", {{9, 8}, {8, 9}, {9, 8}, {8, 8}, {8, 8}}},
                 {"c", "vpt", "joint", {{2, 2}, {2, 3}, {3, 2}, {2, 1}, {2, 2}}}});
  EXPECT_EQ(report.equivalence_margin, 0.2);
  EXPECT_TRUE(report.rows[0].is_equivalent_to_best(0.2));
  EXPECT_TRUE(report.rows[1].is_equivalent_to_best(0.2));
  EXPECT_FALSE(report.rows[1].is_equivalent_to_best(0.01));
  EXPECT_FALSE(report.rows[2].is_equivalent_to_best(0.2));
  std::ostringstream out;
  print_table(out, report);
  EXPECT_THAT(out.str(), HasSubstr(" ≈"));
  EXPECT_THAT(out.str(), HasSubstr("≈: no more than"));
  EXPECT_THAT(report.notes, Contains(HasSubstr("(≈): 'b'.")));
}

TEST_F(SignificanceTest, AnIntervalThatLeaves0To100IsASentence) {
  const Report report = report_of(
      {{"a", "coop", "joint", {{9, 9}, {3, 3}}}, {"b", "mmap", "joint", {{5, 5}, {6, 5}}}});
  std::ostringstream out;
  print_table(out, report);
  EXPECT_THAT(out.str(), HasSubstr("60.00 (no interval)"));
  EXPECT_THAT(report.notes,
              Contains("No interval is printed for the mean of 'a' (2 seeds, 30.00 to 90.00 %): a "
                       "95 % t-interval would leave 0 to 100 %, so it says nothing."));
}

TEST_F(SignificanceTest, SaysWhatIntervalsLeaveOut) {
  std::ostringstream out;
  print_table(out, report_of(kRows));
  EXPECT_THAT(out.str(), HasSubstr("leaves out what other test images would do"));
}

// numpy and SciPy: ((row - full) / full).mean(axis=tasks), stats.t.ppf(.975, 4) * stats.sem(...)
TEST_F(SignificanceTest, GivesTheGainOverSingleTaskFullFineTuning) {
  const Report report = report_of(kRows);
  ASSERT_EQ(report.single_task, 4U);
  EXPECT_FALSE(report.rows[4].multi_task_gain.has_value());
  EXPECT_NEAR(report.rows[2].multi_task_gain->mean, 0.11357142857142857, 1e-12);
  EXPECT_NEAR(*report.rows[2].multi_task_gain->half_width, 0.09806946124862048, 1e-12);
  EXPECT_NEAR(report.rows[0].multi_task_gain->mean, -0.34571428571428575, 1e-12);
  EXPECT_EQ(report.rows[0].multi_task_gain->n, 5);
  EXPECT_FALSE(report_of({kRows[0], kRows[1]}).rows[1].multi_task_gain.has_value());
}

TEST_F(SignificanceTest, SaysPlainlyThatTwoTasksAreTooFewForRanks) {
  const Report report = report_of(kRows);
  EXPECT_FALSE(report.ranks.ranking.has_value());
  EXPECT_THAT(report.ranked_rows, ElementsAre(0U, 1U, 2U, 3U, 4U));
  EXPECT_THAT(report.notes, Contains(HasSubstr("No critical-difference diagram: 2 tasks are too")));
}

TEST_F(SignificanceTest, NamesSeedsThatCollapsed) {
  // As in a report on CoOp on DTD: 12.0, 15.2 and 63.4 %.
  const Report report = report_of({{"few", "coop", "joint", {{1, 1}, {1, 2}, {6, 7}}},
                                   {"even", "vpt", "joint", {{5, 5}, {6, 6}, {7, 7}}},
                                   {"one", "mmap", "joint", {{7, 7}, {2, 3}, {7, 8}}}});
  EXPECT_THAT(report.rows[0].collapsed_seeds, ElementsAre(1U, 2U));
  EXPECT_TRUE(report.rows[1].collapsed_seeds.empty());
  EXPECT_THAT(report.rows[2].collapsed_seeds, ElementsAre(2U));
  EXPECT_THAT(report.notes,
              Contains("Row 'few': seeds 1, 2 are far below the others (10.0, 15.0 % against 65.0 "
                       "%). 2 seeds are outliers; check their learning curves."));
  EXPECT_THAT(report.notes, Contains(HasSubstr("Row 'one': seed 2 is far below")));
}

TEST_F(SignificanceTest, TwoSeedsHaveNotCollapsedAndNoLossIsNamedWhereNothingTrains) {
  const Report two = report_of({{"a", "coop", "joint", {{1, 1}, {7, 7}}},
                                {"zero", "zero-shot", "joint", {{1, 1}, {7, 7}}, 0}});
  EXPECT_TRUE(two.rows[0].collapsed_seeds.empty());
  EXPECT_THAT(two.notes, Not(Contains(HasSubstr("far below"))));
  const Report three = report_of({{"zero", "zero-shot", "joint", {{1, 1}, {7, 7}, {7, 7}}, 0}});
  EXPECT_THAT(three.notes, Contains(testing::AllOf(HasSubstr("seed 1 is far below"),
                                                   HasSubstr("nothing trains in this row"),
                                                   Not(HasSubstr("learning curve")))));
}

TEST_F(SignificanceTest, WarnsOfTooFewSeeds) {
  const Report three = report_of({{"a", "coop", "joint", {{5, 5}, {6, 6}, {7, 6}}}});
  EXPECT_THAT(three.notes,
              Contains("Too few seeds for small differences: with 3 seeds the 95 % interval of a "
                       "mean reaches 2.48 standard deviations to either side, with 5 seeds 1.24, "
                       "with 10 seeds 0.72."));
  const Report one = report_of({{"a", "coop", "joint", {{5, 5}}}});
  EXPECT_THAT(one.notes, Contains(HasSubstr("One seed: nothing is known about chance")));
  EXPECT_THAT(report_of(kRows).notes, Not(Contains(HasSubstr("seeds the 95 % interval"))));
}

TEST_F(SignificanceTest, GivesNoProbabilityWithoutASpread) {
  const Report report = report_of({{"zero", "zero-shot", "joint", {{5, 5}, {5, 5}, {5, 5}}, 0},
                                   {"a", "coop", "joint", {{6, 6}, {6, 6}, {6, 6}}}});
  EXPECT_NEAR(report.rows[1].versus_zero_shot->difference.mean, 0.1, 1e-12);
  EXPECT_FALSE(report.rows[1].versus_zero_shot->p.has_value());
  EXPECT_FALSE(report.rows[1].versus_zero_shot->is_real());
}

TEST_F(SignificanceTest, MarksTheTableAndExplainsTheMarks) {
  const Report report = report_of(kRows);
  std::ostringstream out;
  print_table(out, report);
  const std::string text = out.str();
  EXPECT_THAT(text, HasSubstr("73.00 ± 5.55 [2]"));
  EXPECT_THAT(text, HasSubstr(" *  "));
  EXPECT_THAT(text, HasSubstr("*: the interval leaves out 0"));
  EXPECT_THAT(text, HasSubstr("n.s."));
  EXPECT_THAT(text, Not(HasSubstr("≈")));
  EXPECT_THAT(text, HasSubstr("+11.36 ± 9.81"));
}

}  // namespace
}  // namespace petlab::reports
