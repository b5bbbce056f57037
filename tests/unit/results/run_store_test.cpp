#include "petlab/results/run_store.hpp"

#include "petlab/base/error.hpp"
#include "postgres_server.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace petlab::results {
namespace {

using sample::RunChoice;
using testing::HasSubstr;

class RunStoreTest : public testing::TestWithParam<sample::StoreKind> {
 protected:
  sample::TemporaryFolder folder_;
  SplitRecord split_ = sample::split(1);
  std::filesystem::path path_ = sample::new_store(GetParam(), folder_, "new/folder/runs.sqlite");
  RunStore store_{path_};

  void SetUp() override { store_.register_split(split_); }

  void expect_refused(const std::function<void(RunRecord&)>& spoil, const std::string& words) {
    RunRecord run = sample::done_run({}, split_);
    spoil(run);
    try {
      store_.record(run);
      FAIL() << "not refused: " << words;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::store);
      EXPECT_THAT(error.what(), HasSubstr(words));
      EXPECT_THAT(error.what(), HasSubstr(path_.string()));
    }
    EXPECT_FALSE(store_.load(run.identity.hash).has_value());
  }
};

TEST_P(RunStoreTest, GivesBackAFinishedRunAsItWas) {
  RunRecord run =
      sample::done_run({.method = "mmap", .sharing = "grouped", .grouping = "gradient"}, split_);
  run.resumed = 3;
  run.step_flops = 2.5e9;
  run.image_flops = 1.25e8;
  run.method_trait = method_trait::kBaseline;
  run.epochs[1].steps = 7;
  run.epochs[1].images = 112;
  EXPECT_FALSE(store_.has_done(run.identity.hash));
  EXPECT_EQ(store_.record(run), RecordOutcome::stored);
  EXPECT_TRUE(store_.has_done(run.identity.hash));

  const RunRecord got = store_.load(run.identity.hash).value();
  EXPECT_EQ(got.identity.hash, run.identity.hash);
  EXPECT_EQ(got.identity.parts, run.identity.parts);
  EXPECT_EQ(got.method, "mmap");
  EXPECT_EQ(got.method_trait, "baseline");
  EXPECT_EQ(got.plugin, run.plugin);
  EXPECT_EQ(got.plugin_version, run.plugin_version);
  EXPECT_EQ(got.sharing, "grouped");
  EXPECT_EQ(got.grouping_strategy, "gradient");
  EXPECT_EQ(got.seed, 1U);
  EXPECT_EQ(got.options, run.options);
  EXPECT_EQ(got.protocol, run.protocol);
  EXPECT_EQ(got.environment, run.environment);
  EXPECT_EQ(got.backbone, run.backbone);
  EXPECT_EQ(got.total_backbone_parameters, 100000);
  EXPECT_EQ(got.precision, "float32");
  EXPECT_EQ(got.split_hash, split_.hash);
  EXPECT_EQ(got.status, RunStatus::done);
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.started, run.started);
  EXPECT_EQ(got.finished, run.finished);
  EXPECT_EQ(got.frozen_hash_before, run.frozen_hash_before);
  EXPECT_EQ(got.frozen_hash_after, run.frozen_hash_after);
  EXPECT_EQ(got.trained_hash, run.trained_hash);
  EXPECT_EQ(got.test_evaluations, 1);
  EXPECT_EQ(got.determinism, "bit-equal");
  EXPECT_EQ(got.resumed, 3);
  EXPECT_EQ(got.step_flops, 2.5e9);
  EXPECT_EQ(got.image_flops, 1.25e8);

  ASSERT_EQ(got.parameters.size(), 2U);
  EXPECT_EQ(got.parameters[1].scope, "shared");
  EXPECT_EQ(got.parameters[1].trainable, 512);
  EXPECT_EQ(got.parameters[1].stored_bytes, 2048);
  ASSERT_EQ(got.costs.size(), 3U);
  EXPECT_EQ(got.costs[1].phase, "train");
  EXPECT_EQ(got.costs[1].seconds, 10.0);
  EXPECT_EQ(got.costs[1].peak_device_bytes, std::int64_t{1} << 33);
  EXPECT_EQ(got.costs[1].flops, 1.5e9);
  EXPECT_FALSE(got.costs[0].peak_device_bytes.has_value());
  EXPECT_FALSE(got.costs[0].flops.has_value());
  ASSERT_EQ(got.epochs.size(), 2U);
  EXPECT_EQ(got.epochs[1].epoch, 1);
  EXPECT_EQ(got.epochs[1].loss, 0.75);
  EXPECT_EQ(got.epochs[1].learning_rate, 0.001);
  EXPECT_EQ(got.epochs[1].steps, 7);
  EXPECT_EQ(got.epochs[1].images, 112);

  ASSERT_TRUE(got.grouping.has_value());
  EXPECT_EQ(got.grouping->strategy, "gradient");
  EXPECT_EQ(got.grouping->tasks, run.grouping->tasks);
  EXPECT_EQ(got.grouping->affinity, run.grouping->affinity);
  EXPECT_EQ(got.grouping->partition, run.grouping->partition);
  EXPECT_EQ(got.grouping->score, 0.0);
  ASSERT_EQ(got.grouping->runners_up.size(), 1U);
  EXPECT_EQ(got.grouping->runners_up[0].partition, run.grouping->runners_up[0].partition);
  EXPECT_EQ(got.grouping->runners_up[0].score, -0.25);
}

TEST_P(RunStoreTest, GivesBackEachPredictionInTheOrderOfTheSplit) {
  const RunRecord run = sample::done_run({.correct = {7, 5}}, split_);
  store_.record(run);
  const RunRecord got = store_.load(run.identity.hash).value();
  ASSERT_EQ(got.tasks.size(), 2U);
  for (std::size_t t = 0; t < 2; ++t) {
    EXPECT_EQ(got.tasks[t].task, split_.tasks[t].task);
    EXPECT_EQ(got.tasks[t].n_train, 4);
    EXPECT_EQ(got.tasks[t].n_test, 10);
    EXPECT_EQ(got.tasks[t].n_correct, run.tasks[t].n_correct);
    EXPECT_EQ(got.tasks[t].loss, 0.5);
    ASSERT_EQ(got.tasks[t].predictions.size(), 10U);
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(got.tasks[t].predictions[i].predicted, run.tasks[t].predictions[i].predicted);
      EXPECT_NEAR(got.tasks[t].predictions[i].probability, run.tasks[t].predictions[i].probability,
                  0.5 / 65535);
    }
  }
  EXPECT_DOUBLE_EQ(got.tasks[0].accuracy(), 0.7);
  EXPECT_DOUBLE_EQ(got.mean_accuracy(), 0.6);
  EXPECT_EQ(got.trainable(), 512);
  EXPECT_FALSE(got.method_trait.has_value()) << "nobody said what the method is";
  const RunRecord light = store_.load(run.identity.hash, LoadDetail::without_predictions).value();
  EXPECT_EQ(light.tasks[0].n_correct, 7);
  EXPECT_TRUE(light.tasks[0].predictions.empty());
}

TEST_P(RunStoreTest, KeepsTheExtremesOfProbabilityAndOfClassNumbers) {
  SplitRecord wide = sample::split(2);
  for (TaskSplit& task : wide.tasks) {
    task.classes.resize(65536);
    for (std::size_t i = 0; i < task.classes.size(); ++i)
      task.classes[i] = std::to_string(i);
  }
  wide.dataset.hash += "-wide";
  wide.hash += "-wide";
  store_.register_split(wide);
  RunRecord run = sample::done_run({.seed = 2, .correct = {0, 0}}, wide);
  run.tasks[0].predictions[8] = {65535, 1.0};
  run.tasks[0].predictions[9] = {0, 0.0};
  store_.record(run);
  const auto got = store_.load(run.identity.hash)->tasks[0].predictions;
  EXPECT_EQ(got[8].predicted, 65535);
  EXPECT_EQ(got[8].probability, 1.0);
  EXPECT_EQ(got[9].predicted, 0);
  EXPECT_EQ(got[9].probability, 0.0);
}

TEST_P(RunStoreTest, NeverOverwritesAFinishedRun) {
  const RunRecord first = sample::done_run({.correct = {7, 5}}, split_);
  EXPECT_EQ(store_.record(first), RecordOutcome::stored);
  EXPECT_EQ(store_.record(sample::done_run({.correct = {9, 9}}, split_)),
            RecordOutcome::already_done);
  EXPECT_EQ(store_.record(sample::failed_run({}, split_, "it broke")), RecordOutcome::already_done);
  const RunRecord got = store_.load(first.identity.hash).value();
  EXPECT_EQ(got.status, RunStatus::done);
  EXPECT_EQ(got.tasks[0].n_correct, 7);
}

TEST_P(RunStoreTest, ReplacesAFailedRunAndCountsTheAttempts) {
  const RunChoice choice;
  store_.set_study(sample::study("demo", {{"coop", {choice}}}));
  ASSERT_EQ(store_.runs("demo").size(), 1U);
  EXPECT_FALSE(store_.runs("demo")[0].status.has_value());

  store_.record(sample::failed_run(choice, split_, "loss of task 'line' is not finite"));
  EXPECT_FALSE(store_.has_done(sample::identity_of(choice, split_).hash));
  StudyRun state = store_.runs("demo")[0];
  EXPECT_EQ(state.status, RunStatus::failed);
  EXPECT_EQ(state.error_kind, "numeric");
  EXPECT_EQ(state.error, "loss of task 'line' is not finite");
  EXPECT_EQ(state.attempts, 1);

  store_.record(sample::failed_run(choice, split_, "out of memory"));
  EXPECT_EQ(store_.runs("demo")[0].error, "out of memory");
  EXPECT_EQ(store_.runs("demo")[0].attempts, 2);

  EXPECT_EQ(store_.record(sample::done_run(choice, split_)), RecordOutcome::stored);
  state = store_.runs("demo")[0];
  EXPECT_EQ(state.status, RunStatus::done);
  EXPECT_EQ(state.error, "");
  EXPECT_EQ(state.attempts, 3);
}

TEST_P(RunStoreTest, TakesAFailureFromBeforeTheSplitWasKnownAndALossThatIsNotFinite) {
  RunRecord run = sample::failed_run({}, split_, "data set folder is missing");
  run.split_hash.clear();
  run.epochs = {{0, std::numeric_limits<double>::quiet_NaN(), 0.1, 1.0, "train"}};
  store_.record(run);
  const RunRecord got = store_.load(run.identity.hash).value();
  EXPECT_EQ(got.split_hash, "");
  ASSERT_EQ(got.epochs.size(), 1U);
  EXPECT_TRUE(std::isnan(got.epochs[0].loss));
}

TEST_P(RunStoreTest, RefusesRunsThatContradictThemselves) {
  expect_refused([](RunRecord& r) { r.identity.parts[0].second = "other"; }, "not the hash");
  expect_refused([](RunRecord& r) { r.split_hash = "beef"; }, "not registered");
  expect_refused([](RunRecord& r) { r.split_hash.clear(); }, "names no split");
  expect_refused([](RunRecord& r) { r.tasks.pop_back(); }, "results for 1 tasks, its split has 2");
  expect_refused([](RunRecord& r) { r.tasks[1].task = "solid"; }, "no result for task 'emoji'");
  expect_refused([](RunRecord& r) { r.tasks[0].predictions.pop_back(); },
                 "9 predictions for 10 test images");
  expect_refused([](RunRecord& r) { ++r.tasks[0].n_correct; },
                 "n_correct is 8, the predictions give 7");
  expect_refused([](RunRecord& r) { r.tasks[0].n_test = 11; }, "11 test images, the split has 10");
  expect_refused([](RunRecord& r) { r.tasks[0].n_train = 5; }, "5 training images");
  expect_refused([](RunRecord& r) { r.tasks[0].predictions[0].predicted = 4; }, "has 4 classes");
  expect_refused([](RunRecord& r) { r.tasks[0].predictions[0].probability = 1.01; }, "0 to 1");
  expect_refused([](RunRecord& r) { r.tasks[0].loss = NAN; }, "not a finite number");
  expect_refused([](RunRecord& r) { r.epochs[0].loss = INFINITY; }, "the loss of epoch 0");
  expect_refused([](RunRecord& r) { r.error = "but it failed"; }, "brings an error");
  expect_refused([](RunRecord& r) { r.frozen_hash_after = "changed weights"; },
                 "frozen weights changed");
  expect_refused([](RunRecord& r) { r.options.push_back(r.options[0]); }, "occurs twice");
  expect_refused([](RunRecord& r) { r.seed = std::uint64_t{1} << 63U; }, "larger than 2^63 - 1");
  expect_refused([](RunRecord& r) { r.status = RunStatus::failed; }, "gives no reason");
  expect_refused([](RunRecord& r) { r.resumed = -1; }, "resumed fewer than 0 times");
  expect_refused([](RunRecord& r) { r.step_flops = NAN; }, "floating-point operations");
  expect_refused([](RunRecord& r) { r.image_flops = -1.0; }, "floating-point operations");
  expect_refused([](RunRecord& r) { r.epochs[0].steps = -1; }, "fewer than 0 steps");
}

TEST_P(RunStoreTest, RollsBackWhenARowIsMalformed) {
  // These pass the checks and break a constraint of the schema after other rows are written.
  expect_refused([](RunRecord& r) { r.parameters.push_back({"everywhere", "", 1, 4}); },
                 " constraint");
  expect_refused([](RunRecord& r) { r.epochs.push_back(r.epochs[0]); }, " constraint");
  // The store still works.
  EXPECT_EQ(store_.record(sample::done_run({}, split_)), RecordOutcome::stored);
}

TEST_P(RunStoreTest, TakesAPhaseThatOccursTwice) {
  RunRecord run = sample::done_run({}, split_);
  run.costs.push_back({"setup", 0.25, 0, 0, {}, {}});
  store_.record(run);
  const auto costs = store_.load(run.identity.hash)->costs;
  ASSERT_EQ(costs.size(), 4U);
  EXPECT_EQ(costs[3].phase, "setup");
  EXPECT_EQ(costs[3].seconds, 0.25);
}

TEST_P(RunStoreTest, RefusesGroupingsThatAreNoPartition) {
  const auto spoiled = [&](const std::function<void(GroupingRecord&)>& spoil) {
    RunRecord run = sample::done_run({.sharing = "grouped", .grouping = "gradient"}, split_);
    spoil(*run.grouping);
    return run;
  };
  EXPECT_THROW(store_.record(spoiled([](auto& g) { g.partition.pop_back(); })), base::Error);
  EXPECT_THROW(store_.record(spoiled([](auto& g) { g.partition[0] = {"emoji"}; })), base::Error);
  EXPECT_THROW(store_.record(spoiled([](auto& g) { g.partition[0] = {"other"}; })), base::Error);
  EXPECT_THROW(store_.record(spoiled([](auto& g) { g.partition.push_back({}); })), base::Error);
  EXPECT_THROW(store_.record(spoiled([](auto& g) { g.affinity.pop_back(); })), base::Error);
  EXPECT_EQ(store_.record(spoiled([](auto& g) { g.affinity.clear(); })), RecordOutcome::stored);
}

TEST_P(RunStoreTest, KeepsASplitOnceAndRefusesOthersUnderItsHash) {
  store_.register_split(split_);
  const SplitRecord got = store_.split(split_.hash).value();
  EXPECT_EQ(got.dataset.name, "icon-home");
  EXPECT_EQ(got.dataset.version, "1");
  EXPECT_EQ(got.name, "20%");
  EXPECT_EQ(got.fraction, 0.2);
  ASSERT_EQ(got.tasks.size(), 2U);
  EXPECT_EQ(got.tasks[1].task, "emoji");
  EXPECT_EQ(got.tasks[1].classes[3], "lamp");
  EXPECT_EQ(got.tasks[1].test[9].sample_id, "emoji/9");
  EXPECT_EQ(got.tasks[1].test[9].label, 1);

  SplitRecord reordered = split_;
  std::swap(reordered.tasks[0].test[0], reordered.tasks[0].test[1]);
  EXPECT_THROW(store_.register_split(reordered), base::Error);

  SplitRecord relabelled = sample::split(3);  // same data set, one image with another label
  relabelled.tasks[0].test[0].label = 3;
  EXPECT_THROW(store_.register_split(relabelled), base::Error);
  EXPECT_FALSE(store_.split(relabelled.hash).has_value());

  store_.register_split(sample::split(3));
  EXPECT_FALSE(store_.split("unknown").has_value());
}

TEST_P(RunStoreTest, KeepsSplitsOfOneHashOfTwoDataSets) {
  // The same ids, one picture of which was replaced.
  SplitRecord repaired = split_;
  repaired.dataset.hash = std::string(64, 'f');
  const RunRecord before = sample::done_run({.method = "coop"}, split_);
  store_.record(before);
  store_.register_split(repaired);
  RunRecord after = sample::done_run({.method = "mmap"}, repaired);
  after.dataset_hash = repaired.dataset.hash;
  EXPECT_EQ(store_.record(after), RecordOutcome::stored);
  EXPECT_EQ(store_.load(before.identity.hash)->dataset_hash, split_.dataset.hash);
  EXPECT_EQ(store_.load(after.identity.hash)->dataset_hash, repaired.dataset.hash);
  EXPECT_EQ(store_.load(after.identity.hash)->tasks.size(), 2U);
  EXPECT_EQ(store_.split(split_.hash, repaired.dataset.hash)->dataset.hash, repaired.dataset.hash);
  EXPECT_EQ(store_.split(split_.hash)->dataset.hash, split_.dataset.hash);
  EXPECT_FALSE(store_.split(split_.hash, "another").has_value());
  after.identity = sample::identity_of({.method = "vpt"}, repaired);
  after.dataset_hash = "another";
  EXPECT_THROW(store_.record(after), base::Error);
}

TEST_P(RunStoreTest, RefusesSplitsThatContradictThemselves) {
  const auto refused = [&](const std::function<void(SplitRecord&)>& spoil) {
    SplitRecord split = sample::split(4);
    spoil(split);
    EXPECT_THROW(store_.register_split(split), base::Error);
  };
  refused([](SplitRecord& s) { s.hash.clear(); });
  refused([](SplitRecord& s) { s.fraction = 1.1; });
  refused([](SplitRecord& s) { s.tasks.clear(); });
  refused([](SplitRecord& s) { s.tasks[1].task = "line"; });
  refused([](SplitRecord& s) { s.tasks[0].test.clear(); });
  refused([](SplitRecord& s) { s.tasks[0].test[0].label = 4; });
  refused([](SplitRecord& s) { s.tasks[0].test[1] = s.tasks[0].test[0]; });
}

PETLAB_ON_EVERY_KIND_OF_STORE(RunStoreTest);

}  // namespace
}  // namespace petlab::results
