#include "petlab/base/error.hpp"
#include "petlab/reports/report.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace petlab::reports {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class BuildReportTest : public testing::Test {
 protected:
  results::sample::TemporaryFolder folder_;
  results::RunStore store_ = sample::demo_store(folder_ / "demo.sqlite");

  std::string fact(const Report& report, const std::string& name) const {
    for (const auto& [key, text] : report.facts) {
      if (key == name) return text;
    }
    return "absent";
  }
};

TEST_F(BuildReportTest, AveragesOverDomainsAndThenOverSeeds) {
  const Report report = build_report(store_, "demo");
  EXPECT_THAT(report.tasks, ElementsAre("line", "emoji"));
  ASSERT_EQ(report.rows.size(), 4U);
  const Row& row = report.rows[2];
  EXPECT_EQ(row.label, "mmap-grouped");
  EXPECT_EQ(row.grouping, "gradient");
  EXPECT_NEAR(*row.task_accuracy[0], 26.0 / 30, 1e-12);
  EXPECT_NEAR(*row.task_accuracy[1], 17.0 / 30, 1e-12);
  // Means of the runs: 0.75, 0.7, 0.7.
  EXPECT_NEAR(row.mean->mean, 2.15 / 3, 1e-12);
  EXPECT_NEAR(*row.mean->half_width, 4.302652729749462 * (0.05 / std::sqrt(3.0)) / std::sqrt(3.0),
              1e-9);
  EXPECT_EQ(row.mean->n, 3);
}

TEST_F(BuildReportTest, PairsDifferencesToZeroShotBySeed) {
  const Report report = build_report(store_, "demo");
  ASSERT_TRUE(report.zero_shot.has_value());
  EXPECT_EQ(*report.zero_shot, 0U);
  EXPECT_FALSE(report.rows[0].versus_zero_shot.has_value());
  // CoOp gains exactly 0.1 with each seed, so there is no spread although both rows have one.
  const Comparison& coop = *report.rows[1].versus_zero_shot;
  EXPECT_NEAR(coop.difference.mean, 0.1, 1e-12);
  EXPECT_FALSE(coop.difference.half_width.has_value());
  EXPECT_FALSE(coop.p.has_value());
  EXPECT_FALSE(coop.is_real());
  // MmAP: 0.35, 0.25, 0.25.
  EXPECT_NEAR(report.rows[2].versus_zero_shot->difference.mean, 0.85 / 3, 1e-12);
  EXPECT_GT(*report.rows[2].versus_zero_shot->difference.half_width, 0.1);
  // VPT has one seed with zero-shot in common.
  EXPECT_EQ(report.rows[3].versus_zero_shot->difference.n, 1);
  EXPECT_NEAR(report.rows[3].versus_zero_shot->difference.mean, 0.6, 1e-12);
}

TEST_F(BuildReportTest, CountsParametersAndTakesMediansOfSeconds) {
  const Report report = build_report(store_, "demo");
  EXPECT_EQ(*report.rows[0].trainable, std::make_pair(std::int64_t{0}, std::int64_t{0}));
  EXPECT_EQ(*report.rows[2].trainable, std::make_pair(std::int64_t{1500}, std::int64_t{3000}));
  EXPECT_NEAR(*report.rows[2].trainable_percent, 2.5, 1e-12);
  EXPECT_EQ(report.rows[1].train_seconds, 11.0);
  EXPECT_EQ(report.rows[1].evaluate_seconds, 2.0);
}

TEST_F(BuildReportTest, GivesPlacesToRowsWithoutGapsOnly) {
  const Report report = build_report(store_, "demo");
  EXPECT_GT(report.rows[3].mean->mean, report.rows[2].mean->mean);
  EXPECT_EQ(report.rows[3].place, Place::none);
  EXPECT_EQ(report.rows[2].place, Place::best);
  EXPECT_EQ(report.rows[1].place, Place::second);
  EXPECT_EQ(report.rows[0].place, Place::none);
}

TEST_F(BuildReportTest, TellsWhatFailedAndWhatIsMissing) {
  const Report report = build_report(store_, "demo");
  EXPECT_EQ(report.planned, 12);
  EXPECT_EQ(report.finished, 10);
  EXPECT_EQ(report.rows[3].failed, 1);
  EXPECT_THAT(report.rows[3].missing_seeds, ElementsAre(3U));
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].label, "vpt-per-task");
  EXPECT_EQ(report.failures[0].seed, 2U);
  EXPECT_EQ(report.failures[0].attempts, 2);
  EXPECT_THAT(report.failures[0].error, HasSubstr("not finite"));
  EXPECT_THAT(report.notes, Contains(HasSubstr("10 of 12 planned runs")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("different numbers of seeds")));
}

TEST_F(BuildReportTest, CarriesTheGroupingOfEachSeed) {
  const Report report = build_report(store_, "demo");
  ASSERT_EQ(report.groupings.size(), 3U);
  EXPECT_EQ(report.groupings[1].seed, 2U);
  EXPECT_EQ(report.groupings[1].grouping.partition, (results::Partition{{"line"}, {"emoji"}}));
  EXPECT_EQ(report.groupings[1].grouping.affinity.size(), 4U);
}

TEST_F(BuildReportTest, StatesWhatWasEqualForAllRows) {
  const Report report = build_report(store_, "demo");
  EXPECT_THAT(fact(report, "Data set"), HasSubstr("icon-home 1 (hash "));
  EXPECT_THAT(fact(report, "Split"), HasSubstr("20 % of each domain trains; 3 splits. Images for "
                                               "training / testing: line 4 / 10, emoji 4 / 10"));
  EXPECT_EQ(fact(report, "Seeds"), "1, 2, 3");
  EXPECT_EQ(fact(report, "Backbone"), "petlab-icon-clip (100,000 parameters)");
  EXPECT_EQ(fact(report, "Device"), "cpu (Test CPU)");
  EXPECT_EQ(fact(report, "Threads"), "2");
  EXPECT_EQ(fact(report, "petlab"), "0.1.0");
  EXPECT_EQ(fact(report, "Test evaluations"), "1 in each run, after training");
  EXPECT_THAT(fact(report, "Numbers"), HasSubstr("measured"));
}

TEST_F(BuildReportTest, SaysWhatAStepAndAnImageCost) {
  namespace records = results::sample;
  EXPECT_EQ(fact(build_report(store_, "demo"), "Operations"), "absent");  // not counted
  const records::RunChoice one{.method = "a"};
  const records::RunChoice other{.method = "b"};
  store_.set_study(records::study("counted", {{"a", {one}}, {"b", {other}}}));
  results::RunRecord run = records::done_run(one, records::split(1));
  run.step_flops = 919'600'000.0;
  run.image_flops = 33.7e9;
  store_.record(run);
  run = records::done_run(other, records::split(1));
  run.step_flops = 1.2345e12;
  run.image_flops = 33.7e9;
  store_.record(run);
  const Report report = build_report(store_, "counted");
  EXPECT_THAT(fact(report, "Operations"),
              HasSubstr("a training step 920 MFLOPs to 1.23 TFLOPs, forward and backward; a test "
                        "image 33.7 GFLOPs. Counted"));
  EXPECT_EQ(report.rows[1].seeds[0].step_flops, 1.2345e12);
}

TEST_F(BuildReportTest, WarnsWhenRunsCannotBeCompared) {
  namespace records = results::sample;
  const records::RunChoice one{.method = "a"};
  const records::RunChoice other{.method = "b"};
  store_.set_study(records::study("mixed", {{"a", {one}}, {"b", {other}}}));
  store_.record(records::done_run(one, records::split(1)));
  results::RunRecord run = records::done_run(other, records::split(1));
  for (auto& [name, value] : run.environment) {
    if (name == results::environment::kDevice) value = "NVIDIA H200";
    if (name == results::environment::kSources) value = "dirty";
  }
  run.test_evaluations = 3;
  store_.record(run);
  const Report report = build_report(store_, "mixed");
  EXPECT_THAT(report.notes, Contains(HasSubstr("different devices")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("1 runs were done by a petlab built from sources")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("more than once")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("no zero-shot row")));
  EXPECT_FALSE(report.zero_shot.has_value());
  EXPECT_THAT(fact(report, "Device"), HasSubstr("cpu; NVIDIA H200"));
  EXPECT_EQ(fact(report, "Test evaluations"), "1 to 3 in a run");
}

TEST_F(BuildReportTest, SharesAPlaceBetweenEqualMeans) {
  namespace records = results::sample;
  const records::RunChoice a{.method = "a", .correct = {5, 7}};
  const records::RunChoice b{.method = "b", .correct = {7, 5}};
  const records::RunChoice c{.method = "c", .correct = {4, 5}};
  store_.set_study(records::study("ties", {{"a", {a}}, {"b", {b}}, {"c", {c}}}));
  for (const auto& run : {a, b, c})
    store_.record(records::done_run(run, records::split(1)));
  const Report report = build_report(store_, "ties");
  EXPECT_EQ(report.rows[0].place, Place::best);
  EXPECT_EQ(report.rows[1].place, Place::best);
  EXPECT_EQ(report.rows[2].place, Place::second);
}

TEST_F(BuildReportTest, RefusesAnUnknownStudyAndNamesTheKnownOnes) {
  try {
    build_report(store_, "demmo");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::config);
    EXPECT_THAT(error.what(), HasSubstr("holds no study 'demmo'; it holds: demo"));
  }
}

}  // namespace
}  // namespace petlab::reports
