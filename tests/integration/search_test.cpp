#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

namespace petlab::tests {
namespace {

using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kSearchedRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.probe]\nmethod = linear-probe\nsharing = joint\n"
    "[row.coop]\nmethod = coop\nsharing = joint\noption.n-ctx = 2\n"
    "[search]\nspace.learning-rate = 1e-9,0.02\nseeds = 1\nvalidation-fraction = 0.5\n";

double mean_accuracy(const results::RunRecord& run) {
  double sum = 0.0;
  for (const results::TaskResult& task : run.tasks)
    sum += task.accuracy();
  return sum / static_cast<double>(run.tasks.size());
}

TEST(Search, TheBestTrialOnHeldOutPicturesIsTrainedOnAllOfThem) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kSearchedRows);
  const std::vector<std::string> more = {"--store", "a.sqlite", "--cache-dir", "cache"};
  const auto call = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_petlab(arguments, workshop.folder());
  };

  const Output before = call({"plan", study});
  EXPECT_EQ(before.exit_code, 0) << before.err;
  EXPECT_THAT(before.out, AllOf(HasSubstr("probe.trial-2"), HasSubstr("small/search"),
                                HasSubstr("row coop waits for its search")));

  const Output first = call({"run", study});
  ASSERT_EQ(first.exit_code, 0) << first.out << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("Study small/search: 4 runs, 0 in a.sqlite, 4 to do"),
                               HasSubstr("Study small: 6 runs, 0 in a.sqlite, 6 to do")));

  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  std::map<std::string, results::RunRecord> trials;
  for (const results::StudyRun& run : store.runs("small/search")) {
    ASSERT_EQ(run.status, RunStatus::done);
    trials[run.plan.row_label] = store.load(run.plan.hash).value();
    EXPECT_EQ(trials[run.plan.row_label].test_evaluations, 0) << run.plan.row_label;
  }
  ASSERT_EQ(trials.size(), 4U);
  const auto record = store.study("small").value();
  ASSERT_EQ(record.searches.size(), 2U);
  for (const results::SearchRecord& search : record.searches) {
    const std::string label = search.row_index == 1 ? "probe" : "coop";
    const double one = mean_accuracy(trials[label + ".trial-1"]);
    const double two = mean_accuracy(trials[label + ".trial-2"]);
    EXPECT_EQ(search.strategy, "grid");
    EXPECT_EQ(search.trials, 2);
    EXPECT_EQ(search.trial_runs, 2);
    EXPECT_EQ(search.study, "small/search");
    EXPECT_DOUBLE_EQ(search.validation_accuracy, std::max(one, two)) << label;
    EXPECT_EQ(search.chosen, (results::NamedValues{{"learning-rate", two > one ? "0.02" : "1e-9"}}))
        << label;
  }

  // No picture of a final test was looked at by a trial, and the final runs train on all pictures.
  const auto finals = store.runs("small");
  ASSERT_EQ(finals.size(), 6U);
  for (const results::StudyRun& run : finals) {
    const results::RunRecord done = store.load(run.plan.hash).value();
    EXPECT_EQ(done.test_evaluations, 1);
    if (run.plan.seed != 1 || run.plan.row_label == "zero-shot") continue;
    const results::RunRecord& trial = trials[run.plan.row_label + ".trial-1"];
    const auto test = store.split(done.split_hash).value();
    const auto held_out = store.split(trial.split_hash).value();
    for (std::size_t t = 0; t < test.tasks.size(); ++t) {
      EXPECT_EQ(
          held_out.tasks[t].n_train + static_cast<std::int64_t>(held_out.tasks[t].test.size()),
          test.tasks[t].n_train);
      for (const results::TestImage& image : held_out.tasks[t].test)
        for (const results::TestImage& tested : test.tasks[t].test)
          EXPECT_NE(image.sample_id, tested.sample_id);
    }
  }

  const Output again = call({"run", study});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out,
              AllOf(HasSubstr("4 in a.sqlite, 0 to do"), HasSubstr("6 in a.sqlite, 0 to do")));
  const Output after = call({"plan", study});
  EXPECT_THAT(after.out, AllOf(HasSubstr("4 done"), HasSubstr("6 done")));
  // The study is what a report is about, its trials only when asked for.
  const Output report = run_petlab({"report", "--store", "a.sqlite"}, workshop.folder());
  EXPECT_EQ(report.exit_code, 0) << report.err;
}

TEST(Search, GrowsAGridOnDevelopmentImagesUntilItsBestLiesInside) {
  const Workshop workshop;
  // So low that nothing changes: of equal rates the first is chosen, at the edge of its grid.
  const std::string study = workshop.write_study(
      "[row.probe]\nmethod = linear-probe\nsharing = joint\n"
      "[row.coop]\nmethod = coop\nsharing = joint\noption.n-ctx = 2\n"
      "[search]\nspace.learning-rate = 1e-12,1e-11\nedge = extend\n");
  const auto call = [&](std::vector<std::string> arguments) {
    for (const char* more : {"--store", "a.sqlite", "--cache-dir", "cache", "--set",
                             "dataset.development-fraction=0.25", "--set", "study.name=small"})
      arguments.emplace_back(more);
    return run_petlab(arguments, workshop.folder());
  };
  const Output one = call({"run", study, "--rows", "probe"});
  ASSERT_EQ(one.exit_code, 0) << one.out << one.err;
  EXPECT_THAT(one.out, HasSubstr("Chosen for row probe: learning-rate 1e-12: "));
  const Output all = call({"run", study});
  ASSERT_EQ(all.exit_code, 0) << all.out << all.err;

  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto trials = store.runs("small/search");
  ASSERT_EQ(trials.size(), 12U);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const std::string row = i < 6 ? "probe" : "coop";
    EXPECT_EQ(trials[i].plan.row_label, row + ".trial-" + std::to_string(i % 6 / 2 + 1));
    ASSERT_EQ(trials[i].status, RunStatus::done);
    EXPECT_EQ(store.load(trials[i].plan.hash)->test_evaluations, 0);
  }
  const auto record = store.study("small").value();
  ASSERT_EQ(record.searches.size(), 2U);
  for (const results::SearchRecord& search : record.searches) {
    EXPECT_EQ(search.trials, 3);
    EXPECT_EQ(search.added_trials, 1);
    EXPECT_EQ(search.trial_runs, 6);
    EXPECT_EQ(search.scored_on, "development");
    EXPECT_EQ(search.chosen, (results::NamedValues{{"learning-rate", "1e-12"}}));
    EXPECT_TRUE(search.edges.empty());
    ASSERT_EQ(search.images.size(), 3U);
    for (const auto& [task, images] : search.images)
      EXPECT_EQ(images, 8) << task;
    EXPECT_GT(search.standard_error.value(), 0.0);
  }
  // Trials train as the final runs do, in the same steps.
  const auto finals = store.runs("small");
  EXPECT_EQ(store.load(finals[0].plan.hash)->trained_hash,
            store.load(trials[0].plan.hash)->trained_hash);

  const Output again = call({"run", study});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, AllOf(HasSubstr("Study small/search: 12 runs, 12 in a.sqlite, 0 to do"),
                               HasSubstr("Study small: 4 runs, 4 in a.sqlite, 0 to do")));
  const Output plan = call({"plan", study});
  EXPECT_THAT(plan.out, AllOf(HasSubstr("probe.trial-3"), HasSubstr("12 done"),
                              HasSubstr("Chosen for row coop: learning-rate 1e-12: "),
                              HasSubstr("points, on 24 development images ("),
                              HasSubstr("; 3 trials, 1 of them added to the grid")));
}

TEST(Search, HalvingTrainsTheBestCandidatesForLonger) {
  const Workshop workshop;
  const std::string study = workshop.write_study(
      "[row.probe]\nmethod = linear-probe\nsharing = joint\n"
      "[row.coop]\nmethod = coop\nsharing = joint\noption.n-ctx = 2\n"
      "[search]\nstrategy = halving\nspace.learning-rate = 1e-12,0.002,0.02,0.2\nseeds = 1,2\n",
      "epochs = 6\nbatch = 2");
  const auto call = [&](std::vector<std::string> arguments) {
    for (const char* more : {"--store", "a.sqlite", "--cache-dir", "cache", "--set",
                             "dataset.development-fraction=0.25", "--set", "study.name=small"})
      arguments.emplace_back(more);
    return run_petlab(arguments, workshop.folder());
  };
  const Output before = call({"plan", study});
  EXPECT_EQ(before.exit_code, 0) << before.err;
  EXPECT_THAT(before.out,
              HasSubstr("row coop waits for its search, small/search/rung-1 (rung 1 of 2: 4 "
                        "candidates a row, 1 of 6 epochs)"));
  // One row first: the rungs of the other are added to the same studies.
  const Output one = call({"run", study, "--rows", "probe"});
  ASSERT_EQ(one.exit_code, 0) << one.out << one.err;
  EXPECT_THAT(one.out, HasSubstr("; 4 trials in 2 rungs, 12 runs"));
  const Output all = call({"run", study});
  ASSERT_EQ(all.exit_code, 0) << all.out << all.err;

  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto record = store.study("small").value();
  ASSERT_EQ(record.searches.size(), 2U);
  std::int64_t trial_steps = 0;
  for (std::size_t r = 0; r < 2; ++r) {
    const std::string label = r == 0 ? "probe" : "coop";
    std::vector<std::map<std::string, double>> rungs(2);
    for (std::size_t rung = 0; rung < 2; ++rung)
      for (const results::StudyRun& run :
           store.runs("small/search/rung-" + std::to_string(rung + 1))) {
        if (!run.plan.row_label.starts_with(label + ".")) continue;
        ASSERT_EQ(run.status, RunStatus::done);
        const results::RunRecord done = store.load(run.plan.hash).value();
        EXPECT_EQ(done.test_evaluations, 0);
        rungs[rung][run.plan.row_label] += mean_accuracy(done) / 2;
        for (const results::EpochRecord& epoch : done.epochs)
          trial_steps += epoch.steps;
        EXPECT_EQ(done.epochs.size(), rung + 1);
      }
    ASSERT_EQ(rungs[0].size(), 4U);
    ASSERT_EQ(rungs[1].size(), 2U);
    // Whoever went on was at least as good as whoever did not.
    double worst_kept = 1.0, best_dropped = 0.0;
    for (const auto& [trial, accuracy] : rungs[0])
      if (rungs[1].count(trial) > 0)
        worst_kept = std::min(worst_kept, accuracy);
      else
        best_dropped = std::max(best_dropped, accuracy);
    EXPECT_GE(worst_kept, best_dropped) << label;
    const results::SearchRecord& search = record.searches[r];
    EXPECT_EQ(search.strategy, "halving");
    EXPECT_EQ(search.trials, 4);
    EXPECT_EQ(search.trial_runs, 12);
    EXPECT_EQ(search.study, "small/search/rung-2");
    EXPECT_DOUBLE_EQ(search.validation_accuracy,
                     std::max(rungs[1].begin()->second, rungs[1].rbegin()->second));
  }
  // A third of the steps of the same grid.
  std::int64_t final_steps = 0;
  for (const results::StudyRun& run : store.runs("small")) {
    const results::RunRecord done = store.load(run.plan.hash).value();
    for (const results::EpochRecord& epoch : done.epochs)
      final_steps += epoch.steps;
  }
  EXPECT_GT(final_steps, 0);
  EXPECT_EQ(3 * trial_steps, 4 * final_steps);

  const Output again = call({"run", study});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, AllOf(HasSubstr("2 studies: 24 runs, 24 in a.sqlite, 0 to do"),
                               HasSubstr("Study small: 4 runs, 4 in a.sqlite, 0 to do")));
  const Output report =
      run_petlab({"report", "--store", "a.sqlite", "--out", "page"}, workshop.folder());
  EXPECT_EQ(report.exit_code, 0) << report.err;
  std::ifstream file(workshop.folder() / "page" / "report.html");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(page, AllOf(HasSubstr("4 in 2 rungs"), HasSubstr("small/search/rung-2")));
  // Who was tried for one epoch, and how well each did.
  const Output rung = run_petlab(
      {"report", "--store", "a.sqlite", "--study", "small/search/rung-1"}, workshop.folder());
  EXPECT_EQ(rung.exit_code, 0) << rung.err;
  EXPECT_THAT(rung.out, AllOf(HasSubstr("coop.trial-1"), HasSubstr("coop.trial-4")));
}

}  // namespace
}  // namespace petlab::tests
