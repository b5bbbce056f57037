#include "cross_domain.hpp"

#include "petlab/reports/render.hpp"
#include "petlab/results/identity.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace petlab::reports {
namespace {

using results::OpenMode;
using results::RunRecord;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;

/// A study with cross-domain tests: a row of two tasks with adapters of their own, two seeds.
class CrossDomain : public ::testing::Test {
 protected:
  CrossDomain() {
    for (const std::uint64_t seed : {1U, 2U})
      store_.register_split(results::sample::split(seed));
    results::StudyRecord study =
        results::sample::study("cross", {{"coop", {choice(1), choice(2)}}});
    study.protocol = "[study]\nname = cross\n[dataset]\ncross-domain = yes\n";
    store_.set_study(study);
    for (const std::uint64_t seed : {1U, 2U})
      store_.record(results::sample::done_run(choice(seed), results::sample::split(seed)));
    tasks_ = {results::sample::split(1).tasks[0].task, results::sample::split(1).tasks[1].task};
  }

  static results::sample::RunChoice choice(std::uint64_t seed) {
    return {.sharing = "per-task", .seed = seed, .correct = {9, 7}};
  }

  /// So many of 10 test images right on each domain with the adapters of a task.
  void evaluate(std::uint64_t seed, const std::string& adapters_of,
                const std::vector<std::int64_t>& correct, const std::string& number = "1",
                const std::string& transfer = "", const std::string& class_names = "") {
    results::sample::RunChoice tested = choice(seed);
    tested.correct = correct;
    RunRecord record = results::sample::done_run(tested, results::sample::split(seed));
    record.kind = results::run_kind::kEvaluation;
    record.parent =
        results::sample::done_run(choice(seed), results::sample::split(seed)).identity.hash;
    record.identity = results::make_identity({{"kind", "evaluation"},
                                              {"seed", std::to_string(seed)},
                                              {"of", adapters_of},
                                              {"number", number},
                                              {"transfer", transfer},
                                              {"dataset.class-names", class_names}});
    if (!transfer.empty())
      record.environment.emplace_back(results::environment::kTransfer, transfer);
    record.epochs = {};
    record.finished = "2026-01-0" + number + "T00:00:00Z";
    if (!adapters_of.empty())
      record.environment.emplace_back(results::environment::kTestedAs, adapters_of);
    store_.record(record);
  }

  results::sample::TemporaryFolder folder_;
  RunStore store_{folder_ / "a.sqlite", OpenMode::create};
  std::vector<std::string> tasks_;
};

TEST_F(CrossDomain, IsTheMeanOverSeedsOfEachTasksAdaptersOnEachDomain) {
  evaluate(1, tasks_[0], {9, 2});
  evaluate(2, tasks_[0], {9, 3});
  evaluate(1, tasks_[1], {5, 7});
  evaluate(2, tasks_[1], {1, 1}, "1");
  evaluate(2, tasks_[1], {6, 7}, "2");  // the last counts
  evaluate(1, "", {0, 0});              // each task with its own adapters
  const Report report = build_report(store_, "cross");
  ASSERT_EQ(report.cross_domain.size(), 2U);
  const CrossDomainLine& first = report.cross_domain[0];
  EXPECT_EQ(first.adapters_of, tasks_[0]);
  EXPECT_DOUBLE_EQ(first.on[0], 0.9);
  EXPECT_DOUBLE_EQ(first.on[1], 0.25);  // (2 + 3) / 20
  EXPECT_DOUBLE_EQ(first.elsewhere.mean, 0.25);
  EXPECT_EQ(first.elsewhere.n, 2);
  EXPECT_DOUBLE_EQ(report.cross_domain[1].on[0], 0.55);  // (5 + 6) / 20
  std::ostringstream text;
  print_table(text, report);
  EXPECT_THAT(text.str(), AllOf(HasSubstr("Cross-domain accuracy"), HasSubstr("[90.00]"),
                                HasSubstr("25.00"), HasSubstr("[70.00]")));
  EXPECT_THAT(cross_domain_csv(report), HasSubstr("coop," + tasks_[0] + ",0.9,0.25,0.25,"));
}

TEST_F(CrossDomain, IsNoTestOfAnotherKind) {
  for (const std::uint64_t seed : {1U, 2U}) {
    evaluate(seed, tasks_[0], {9, 2});
    evaluate(seed, tasks_[0], {0, 0}, "2", "the same images as a data set to transfer to");
    evaluate(seed, tasks_[0], {0, 0}, "3", "", "other names of classes");
  }
  const Report report = build_report(store_, "cross");
  ASSERT_EQ(report.cross_domain.size(), 1U);
  EXPECT_DOUBLE_EQ(report.cross_domain[0].on[1], 0.2);
}

TEST_F(CrossDomain, LeavesOutARowThatAdaptsNothing) {
  results::sample::RunChoice nothing = choice(1);
  nothing.method = "zero-shot";
  nothing.sharing = "joint";
  nothing.trainable = 0;
  RunRecord run = results::sample::done_run(nothing, results::sample::split(1));
  run.method_trait = results::method_trait::kBaseline;
  store_.record(run);
  results::StudyRecord study = results::sample::study("nothing", {{"zero-shot", {nothing}}});
  study.protocol = "[study]\nname = nothing\n[dataset]\ncross-domain = yes\n";
  store_.set_study(study);
  for (const std::string& task : tasks_) {
    RunRecord record = run;
    record.kind = results::run_kind::kEvaluation;
    record.parent = run.identity.hash;
    record.identity = results::make_identity({{"kind", "evaluation"}, {"of", task}});
    record.epochs = {};
    record.environment.emplace_back(results::environment::kTestedAs, task);
    store_.record(record);
  }
  EXPECT_TRUE(build_report(store_, "nothing").cross_domain.empty());
}

TEST_F(CrossDomain, HasNoLineWhereASeedWasNotTested) {
  evaluate(1, tasks_[0], {9, 2});
  EXPECT_TRUE(build_report(store_, "cross").cross_domain.empty());
  EXPECT_TRUE(make_cross_domain_legend(build_report(store_, "cross")).empty());
}

}  // namespace
}  // namespace petlab::reports
