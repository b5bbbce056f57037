#include "petlab/reports/render.hpp"
#include "petlab/reports/report.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/results/named_values.hpp"
#include "row_table.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <utility>

namespace petlab::reports {
namespace {

using results::NamedValues;
using results::OpenMode;
using results::RunRecord;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A study on base classes: two rows of one seed.
class NewClasses : public ::testing::Test {
 protected:
  NewClasses() {
    store_.register_split(split_);
    results::StudyRecord study =
        results::sample::study("base", {{"coop-joint", {coop_}}, {"probe", {probe_}}});
    study.protocol = "[study]\nname = base\n[dataset]\nclasses = base\n";
    store_.set_study(study);
    run_ = results::sample::done_run(coop_, split_);
    run_.environment.emplace_back("dataset_all_classes", "whole");
    store_.record(run_);
    store_.record(results::sample::done_run(probe_, split_));
  }

  /// An evaluation of the run of CoOp with so many right answers of 10 a task.
  void evaluate(const std::string& classes, std::vector<std::int64_t> correct,
                const std::string& finished, const std::string& whole = "whole",
                const NamedValues& parts = {}, const NamedValues& settings = {},
                const results::SplitRecord& split = results::sample::split(1)) {
    results::sample::RunChoice choice = coop_;
    choice.correct = std::move(correct);
    store_.register_split(split);
    RunRecord record = results::sample::done_run(choice, split);
    record.kind = results::run_kind::kEvaluation;
    record.parent = run_.identity.hash;
    NamedValues all = {{"kind", "evaluation"}, {"number", finished}};
    all.insert(all.end(), parts.begin(), parts.end());
    record.identity = results::make_identity(all);
    if (const std::string seed = results::value_of(all, "seed"); !seed.empty())
      record.seed = std::stoull(seed);
    record.epochs = {};
    record.grouping.reset();
    record.finished = finished;
    record.environment.emplace_back("dataset_all_classes", whole);
    record.protocol = {{"dataset.classes", classes}};
    record.protocol.insert(record.protocol.end(), settings.begin(), settings.end());
    store_.record(record);
  }

  results::sample::TemporaryFolder folder_;
  RunStore store_{folder_ / "a.sqlite", OpenMode::create};
  results::SplitRecord split_ = results::sample::split(1);
  results::sample::RunChoice coop_{.method = "coop", .correct = {9, 7}};
  results::sample::RunChoice probe_{.method = "linear-probe", .correct = {6, 6}};
  RunRecord run_;
};

TEST_F(NewClasses, TheHarmonicMeanIsOfBothMeans) {
  evaluate("new", {6, 2}, "2026-01-02T00:00:00Z");
  const Report report = build_report(store_, "base");
  ASSERT_TRUE(report.tests_new_classes);
  const Row& coop = report.rows.at(0);
  EXPECT_DOUBLE_EQ(coop.mean.value().mean, 0.8);         // (9 + 7) / 20
  EXPECT_DOUBLE_EQ(coop.new_classes.value().mean, 0.4);  // (6 + 2) / 20
  EXPECT_NEAR(coop.harmonic_mean.value().mean, 2 * 0.8 * 0.4 / 1.2, 1e-15);
  EXPECT_FALSE(report.rows.at(1).new_classes);
  std::ostringstream text;
  print_table(text, report);
  EXPECT_THAT(text.str(), AllOf(HasSubstr("40.00 (n=1)"), HasSubstr("53.33 (n=1)"),
                                HasSubstr("H: harmonic mean of the")));
  EXPECT_THAT(table_csv(report), HasSubstr("new_accuracy"));
}

TEST_F(NewClasses, TheLastEvaluationOnNewClassesCountsAndNoOther) {
  evaluate("new", {1, 1}, "2026-01-02T00:00:00Z");
  evaluate("new", {5, 5}, "2026-01-03T00:00:00Z");
  evaluate("all", {9, 9}, "2026-01-04T00:00:00Z");
  evaluate("new", {8, 8}, "2026-01-05T00:00:00Z", "another data set");
  EXPECT_DOUBLE_EQ(build_report(store_, "base").rows.at(0).new_classes.value().mean, 0.5);
}

TEST_F(NewClasses, AreNoTestsThatAreNotTheStudys) {
  evaluate("new", {5, 5}, "2026-01-02T00:00:00Z");
  evaluate("new", {1, 1}, "2026-01-03T00:00:00Z", "whole", {}, {{"dataset.train-fraction", "0.1"}},
           results::sample::split(7));
  evaluate("new", {1, 1}, "2026-01-04T00:00:00Z", "whole", {{"dataset.class-names", "others"}});
  evaluate("new", {1, 1}, "2026-01-05T00:00:00Z", "whole", {{"seed", "2"}});
  evaluate("new", {1, 1}, "2026-01-06T00:00:00Z", "whole", {{"stand-in", "line"}});
  evaluate("new", {1, 1}, "2026-01-07T00:00:00Z", "whole", {{"adapters", "others"}});
  const Report report = build_report(store_, "base");
  EXPECT_DOUBLE_EQ(report.rows.at(0).new_classes.value().mean, 0.5);
  EXPECT_THAT(report.notes, Not(testing::Contains(HasSubstr("No accuracy"))));
}

TEST_F(NewClasses, HaveNoNumberWhereTheyWereTestedOnTwoSplits) {
  evaluate("new", {5, 5}, "2026-01-02T00:00:00Z");
  evaluate("new", {1, 1}, "2026-01-03T00:00:00Z", "whole", {}, {}, results::sample::split(7));
  const Report report = build_report(store_, "base");
  EXPECT_FALSE(report.tests_new_classes);
  EXPECT_FALSE(report.rows.at(0).new_classes);
  EXPECT_THAT(report.notes,
              testing::Contains(HasSubstr("No accuracy is shown on the new classes")).Times(1));
}

TEST_F(NewClasses, AreNoColumnsOfOtherStudies) {
  EXPECT_FALSE(build_report(store_, "base").tests_new_classes);  // nothing was tested
  evaluate("new", {6, 2}, "2026-01-02T00:00:00Z");
  results::StudyRecord study = results::sample::study("all", {{"coop-joint", {coop_}}});
  study.protocol = "[study]\nname = all\n[row.x]\noption.classes = base\n";
  store_.set_study(study);
  const Report report = build_report(store_, "all");
  EXPECT_FALSE(report.tests_new_classes);
  EXPECT_THAT(table_csv(report), Not(HasSubstr("new_accuracy")));
}

}  // namespace
}  // namespace petlab::reports
