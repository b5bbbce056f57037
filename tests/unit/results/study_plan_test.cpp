#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"
#include "postgres_server.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Plans of studies and their searches.
namespace petlab::results {
namespace {

using sample::RunChoice;
using testing::HasSubstr;

class StudyPlanTest : public testing::TestWithParam<sample::StoreKind> {
 protected:
  sample::TemporaryFolder folder_;
  SplitRecord split_ = sample::split(1);
  RunStore store_{sample::new_store(GetParam(), folder_)};

  void SetUp() override { store_.register_split(split_); }
};

TEST_P(StudyPlanTest, ReplacesThePlanOfAStudyButNotItsRuns) {
  const RunChoice one{.seed = 1};
  RunChoice two{.seed = 2};
  store_.set_study(sample::study("b", {{"coop", {one, two}}}));
  store_.set_study(sample::study("a", {{"coop", {one}}}));
  EXPECT_THAT(store_.studies(), testing::ElementsAre("a", "b"));
  store_.record(sample::done_run(one, split_));
  // One run serves both studies.
  EXPECT_EQ(store_.runs("a")[0].status, RunStatus::done);
  EXPECT_EQ(store_.runs("b")[0].status, RunStatus::done);
  EXPECT_FALSE(store_.runs("b")[1].status.has_value());

  store_.set_study(sample::study("b", {{"CoOp", {one}}}));
  ASSERT_EQ(store_.runs("b").size(), 1U);
  EXPECT_EQ(store_.runs("b")[0].plan.row_label, "CoOp");
  EXPECT_EQ(store_.runs("b")[0].status, RunStatus::done);
  EXPECT_EQ(store_.study("b")->plan.size(), 1U);
  EXPECT_FALSE(store_.study("c").has_value());
  EXPECT_TRUE(store_.runs("c").empty());
}

TEST_P(StudyPlanTest, KeepsAPlanWhoseFinishedRunsWouldBeInNoPlanAnyMore) {
  const RunChoice one{.method = "coop"}, two{.method = "vpt"}, three{.method = "mmap"};
  EXPECT_EQ(store_.set_study(sample::study("a", {{"x", {one}}, {"y", {two}}})), std::nullopt);
  // Nothing of it was run: nothing is lost.
  EXPECT_EQ(store_.set_study(sample::study("a", {{"coop", {one}}})), std::nullopt);
  store_.record(sample::done_run(one, split_));
  EXPECT_EQ(store_.set_study(sample::study("a", {{"coop", {two}}})), "a (earlier 1)");
  EXPECT_THAT(store_.studies(), testing::ElementsAre("a", "a (earlier 1)"));
  EXPECT_EQ(store_.runs("a (earlier 1)").at(0).status, RunStatus::done);
  // More runs lose none, and a way back and forth keeps each plan once.
  EXPECT_EQ(store_.set_study(sample::study("a", {{"x", {two}}, {"y", {three}}})), std::nullopt);
  store_.record(sample::done_run(two, split_));
  EXPECT_EQ(store_.set_study(sample::study("a", {{"coop", {one}}})), "a (earlier 2)");
  EXPECT_EQ(store_.set_study(sample::study("a", {{"x", {two}}, {"y", {three}}})), std::nullopt);
  EXPECT_EQ(store_.studies().size(), 3U);
}

SearchRecord search_of(std::int64_t row) {
  return {.row_index = row,
          .strategy = "grid",
          .trials = 6,
          .added_trials = 2,
          .trial_runs = 12,
          .study = "demo-search",
          .chosen = {{"learning-rate", "0.02"}, {"epochs", "20"}},
          .edges = {{"epochs", "highest"}},
          .validation_accuracy = 0.8125,
          .scored_on = scored_on::kDevelopment,
          .images = {{"line", 40}, {"emoji", 30}},
          .standard_error = 0.03};
}

TEST_P(StudyPlanTest, GivesBackTheSearchesOfAStudyAndReplacesThemWithThePlan) {
  const RunChoice coop;
  const RunChoice vpt{.method = "vpt"};
  StudyRecord study = sample::study("demo", {{"coop", {coop}}, {"vpt", {vpt}}});
  study.searches = {search_of(1), search_of(0)};
  study.searches[0].chosen.clear();
  study.searches[0].edges.clear();
  study.searches[0].images.clear();
  study.searches[0].standard_error.reset();
  store_.set_study(study);
  const std::vector<SearchRecord> got = store_.study("demo")->searches;
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0], search_of(0));
  EXPECT_EQ(got[1], study.searches[0]);

  study.searches = {search_of(1)};
  store_.set_study(study);
  ASSERT_EQ(store_.study("demo")->searches.size(), 1U);
  EXPECT_EQ(store_.study("demo")->searches[0].chosen.size(), 2U);
  store_.set_study(sample::study("demo", {{"coop", {coop}}}));
  EXPECT_TRUE(store_.study("demo")->searches.empty());
}

TEST_P(StudyPlanTest, RefusesPlansThatContradictThemselves) {
  StudyRecord study = sample::study("demo", {{"coop", {{.seed = 1}, {.seed = 2}}}});
  study.searches = {search_of(0)};
  const auto refused = [&](const std::function<void(StudyRecord&)>& spoil) {
    StudyRecord spoiled = study;
    spoil(spoiled);
    EXPECT_THROW(store_.set_study(spoiled), base::Error);
  };
  refused([](StudyRecord& s) { s.name.clear(); });
  refused([](StudyRecord& s) { s.plan[0].hash = "beef"; });
  refused([](StudyRecord& s) { s.plan[1].row_label = "other"; });
  refused([](StudyRecord& s) { s.plan[1].seed = 1; });
  refused([](StudyRecord& s) { s.plan[1].row_index = 1; });
  refused([](StudyRecord& s) { s.searches[0].row_index = 1; });
  refused([](StudyRecord& s) { s.searches.push_back(s.searches[0]); });
  refused([](StudyRecord& s) { s.searches[0].trials = 0; });
  refused([](StudyRecord& s) { s.searches[0].strategy.clear(); });
  refused([](StudyRecord& s) { s.searches[0].validation_accuracy = NAN; });
  refused([](StudyRecord& s) { s.searches[0].chosen.push_back(s.searches[0].chosen[0]); });
  refused([](StudyRecord& s) { s.searches[0].added_trials = 6; });
  refused([](StudyRecord& s) { s.searches[0].scored_on = "test"; });
  refused([](StudyRecord& s) { s.searches[0].standard_error = NAN; });
  refused([](StudyRecord& s) { s.searches[0].edges[0].first = "momentum"; });
  refused([](StudyRecord& s) { s.searches[0].edges[0].second = "middle"; });
  refused([](StudyRecord& s) { s.searches[0].images[1].second = 0; });
  refused([](StudyRecord& s) { s.searches[0].images[1].first = "line"; });
  EXPECT_TRUE(store_.studies().empty());
}

PETLAB_ON_EVERY_KIND_OF_STORE(StudyPlanTest);

}  // namespace
}  // namespace petlab::results
