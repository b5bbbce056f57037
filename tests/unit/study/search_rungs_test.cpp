#include "petlab/base/error.hpp"
#include "petlab/results/study_name.hpp"
#include "petlab/study/search.hpp"
#include "sample_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace petlab::study {
namespace {

using results::NamedValues;
using sample::plugins;
using sample::protocol;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kSix =
    "[search]\nstrategy = halving\nspace.learning-rate = 0.1,0.2,0.3,0.4,0.5,0.6\n";

std::vector<std::string> labels_of(const Search& search) {
  std::vector<std::string> labels;
  for (const Row& row : search.protocol.rows)
    labels.push_back(row.label);
  return labels;
}

/// Runs rungs of a search into one store.
class Halving {
 public:
  explicit Halving(const Protocol& protocol)
      : protocol_(protocol), store_(folder_ / "trials.sqlite") {
    searches_.push_back(plan_search(protocol, plugins()));
  }

  /// Accuracies of the trials of the last rung, as of sample::Trials. Whether another rung follows.
  bool run(const std::vector<std::vector<double>>& accuracies) {
    plans_.push_back(sample::record_trials(store_, searches_.back(), accuracies));
    auto next = next_rung(protocol_, searches_.back(), plans_.back(), &store_);
    if (next) searches_.push_back(*next);
    return next.has_value();
  }

  const Search& last() const { return searches_.back(); }

  /// By the rungs that were run.
  SearchOutcome choose() const {
    std::vector<PlannedSearch> rungs;
    for (std::size_t i = 0; i < plans_.size(); ++i)
      rungs.push_back({searches_[i], plans_[i]});
    return choose_settings(protocol_, rungs, &store_);
  }

 private:
  results::sample::TemporaryFolder folder_;
  Protocol protocol_;
  results::RunStore store_;
  std::deque<Search> searches_;
  std::deque<Plan> plans_;
};

std::vector<Rung> rungs_of(const std::string& search, const std::vector<Setting>& settings) {
  return plan_search(protocol(search, settings), plugins()).rungs;
}

TEST(SearchRungs, TakeTheBudgetInEqualPartsAndWholeEpochs) {
  const auto setting = [](const char* key, const char* value) {
    return std::vector<Setting>{{key, value, "--set", ""}};
  };
  // 6 whole trainings of 5 epochs are 30 epochs; 6 * 1 + 2 * 2 are 10.
  EXPECT_THAT(rungs_of(kSix, {}), ElementsAre(Rung{6, 1}, Rung{2, 2}));
  EXPECT_THAT(rungs_of(kSix, setting("train.epochs", "60")), ElementsAre(Rung{6, 10}, Rung{2, 30}));
  EXPECT_THAT(rungs_of(kSix, setting("train.steps", "600")),
              ElementsAre(Rung{6, 100}, Rung{2, 300}));
  EXPECT_THAT(rungs_of(std::string(kSix) + "reduction-factor = 2\nbudget = 1\n",
                       setting("train.epochs", "60")),
              ElementsAre(Rung{6, 20}, Rung{3, 40}, Rung{2, 60}));
  // As classical as it gets: 27 * 1 + 9 * 3 + 3 * 9 is a third of 27 * 9.
  const std::string drawn =
      "[search]\nstrategy = halving\ntrials = 27\nspace.learning-rate = log(0.001,0.1)\n";
  EXPECT_THAT(rungs_of(drawn, setting("train.epochs", "9")),
              ElementsAre(Rung{27, 1}, Rung{9, 3}, Rung{3, 9}));
  // A rung as long as the one before it would be the same runs.
  EXPECT_THAT(rungs_of(kSix, setting("train.epochs", "3")), ElementsAre(Rung{6, 1}));
}

TEST(SearchRungs, ATrialIsAWholeTrainingOfAPartOfTheLength) {
  const std::vector<Setting> longer = {{"study.name", "small", "--set", ""},
                                       {"train.epochs", "60", "--set", ""},
                                       {"train.warmup-epochs", "12", "--set", ""}};
  const Search search = plan_search(protocol(kSix, longer), plugins());
  EXPECT_EQ(search.protocol.name, "small/search/rung-1");
  EXPECT_TRUE(results::is_search(search.protocol.name));
  EXPECT_EQ(results::base_study(search.protocol.name), "small");
  EXPECT_EQ(search.protocol.training.epochs, 10);
  EXPECT_EQ(search.protocol.training.warmup_epochs, 2);
  EXPECT_THAT(search.protocol.description, HasSubstr("rung 1 of 2: 6 candidates a row, 10 of 60"));
  EXPECT_EQ(search.trials.size(), 12U);
  for (const engine::RunSpec& spec : expand(search.protocol, plugins(), {"/cache", 1})) {
    EXPECT_EQ(spec.training.epochs, 10);
    EXPECT_TRUE(spec.dataset.tests_on_validation());
  }
}

TEST(SearchRungs, TheBestOfEachRowGoOnAndOfEqualOnesTheFirst) {
  Halving halving(protocol(kSix));
  ASSERT_TRUE(halving.run({{0.5, 0.5},
                           {0.7, 0.7},
                           {0.6, 0.8},
                           {0.9, 0.5},
                           {0.7, 0.7},
                           {0.1, 0.1},
                           {-1, 0.9},
                           {0.1, 0.1},
                           {0.2, 0.2},
                           {0.3, 0.3},
                           {0.9, -1},
                           {0.2, 0.2}}));
  // Four of CoOp's are equal; of MmAP's the best two have failed.
  EXPECT_THAT(labels_of(halving.last()),
              ElementsAre("coop.trial-2", "coop.trial-3", "mmap.trial-3", "mmap.trial-4"));
  EXPECT_EQ(halving.last().protocol.name, "small/search/rung-2");
  EXPECT_EQ(halving.last().protocol.training.epochs, 2);
  EXPECT_EQ(halving.last().protocol.rows[3].training.at("learning-rate"), "0.4");

  EXPECT_FALSE(halving.run({{0.5, 0.5}, {0.6, 0.7}, {0.8, 0.8}, {0.2, 0.2}}));
  const SearchOutcome outcome = halving.choose();
  ASSERT_EQ(outcome.records.size(), 2U);
  EXPECT_EQ(outcome.protocol.rows[1].training.at("learning-rate"), "0.3");
  EXPECT_EQ(outcome.protocol.training.epochs, 5);
  EXPECT_EQ(outcome.protocol.training.warmup_epochs, 1);
  const results::SearchRecord& coop = outcome.records[0];
  EXPECT_EQ(coop.strategy, "halving");
  EXPECT_EQ(coop.trials, 6);
  EXPECT_EQ(coop.trial_runs, 16);
  EXPECT_EQ(coop.study, "small/search/rung-2");
  EXPECT_EQ(coop.chosen, (NamedValues{{"learning-rate", "0.3"}}));
  EXPECT_NEAR(coop.validation_accuracy, 0.65, 1e-12);
  // The ends are those of all candidates, not of the last two.
  EXPECT_EQ(coop.edges, NamedValues{});
  EXPECT_EQ(outcome.records[1].chosen, (NamedValues{{"learning-rate", "0.3"}}));
}

TEST(SearchRungs, RowsGoOnWithoutEachOther) {
  Halving halving(protocol(kSix));
  const std::vector<double> low = {0.1, 0.1}, missing = {2, 2}, lost = {-1, -1};
  ASSERT_TRUE(
      halving.run({{0.9, 0.9}, low, low, low, low, {0.8, 0.8}, low, low, low, low, low, missing}));
  EXPECT_THAT(labels_of(halving.last()), ElementsAre("coop.trial-1", "coop.trial-6"));
  EXPECT_THAT(halving.choose().waiting, ElementsAre("coop", "mmap"));
  EXPECT_FALSE(halving.run({{0.7, 0.7}, {0.8, 0.8}}));
  const SearchOutcome outcome = halving.choose();
  EXPECT_THAT(outcome.waiting, ElementsAre("mmap"));
  ASSERT_EQ(outcome.records.size(), 1U);
  EXPECT_EQ(outcome.records[0].edges, (NamedValues{{"learning-rate", "highest"}}));

  Halving other(protocol(kSix));
  ASSERT_TRUE(other.run({lost, lost, lost, lost, lost, lost, low, lost, lost, lost, lost, lost}));
  EXPECT_THAT(labels_of(other.last()), ElementsAre("mmap.trial-1"));
  EXPECT_FALSE(other.run({low}));
  EXPECT_THAT(other.choose().failed, ElementsAre("coop"));
  EXPECT_EQ(other.choose().records.size(), 1U);
}

TEST(SearchRungs, AreOfHalvingAlone) {
  const Protocol grid = protocol("[search]\nspace.learning-rate = 0.1,0.2,0.3\n");
  const Search search = plan_search(grid, plugins());
  EXPECT_TRUE(search.rungs.empty());
  EXPECT_FALSE(next_rung(grid, search, {}, nullptr).has_value());
  EXPECT_EQ(rung_text(grid, search), "");
}

TEST(SearchRungs, NameLineAndKeyOfAMistake) {
  const auto error_of = [](const std::string& text,
                           const std::vector<Setting>& settings = {}) -> std::string {
    try {
      (void)plan_search(protocol(text, settings), plugins());
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::config);
      return error.what();
    }
    return "no error";
  };
  const std::string six = kSix;
  EXPECT_THAT(error_of(six + "edge = extend\n"), HasSubstr("edge = extend in [search] is for"));
  EXPECT_THAT(error_of(six + "reduction-factor = 1\n"), HasSubstr("expected an integer >= 2"));
  EXPECT_THAT(error_of(six + "budget = 0\n"), HasSubstr("'0', expected a number"));
  EXPECT_THAT(error_of("[search]\nspace.momentum = 0,0.5\nbudget = 0.5\n"),
              HasSubstr("search_test.ini:21: reduction-factor and budget in [search] are for "
                        "strategy = halving, the strategy is grid"));
  EXPECT_THAT(error_of(six, {{"train.epochs", "1", "--set", ""}}),
              HasSubstr("expected more epochs or steps than 1"));
  EXPECT_THAT(error_of(six, {{"train.budget", "published", "--budget", ""}}),
              HasSubstr("halving shortens one budget that all rows have, and budget in [train] is "
                        "published; expected strategy = grid or random, or budget = equal"));
  EXPECT_THAT(error_of("[search]\nstrategy = halving\nspace.momentum = 0.5\n"),
              HasSubstr("needs at least 2 candidates of each row"));
  EXPECT_THAT(error_of("[search]\nstrategy = halving\nspace.momentum = uniform(0,1)\n"),
              HasSubstr("and for halving with trials"));
}

TEST(StudyName, OfARungIsThatOfASearch) {
  using namespace results;
  EXPECT_EQ(rung_name("demo [epochs=2]", 3), "demo [epochs=2]/search/rung-3");
  EXPECT_EQ(rung_of("demo [epochs=2]/search/rung-3"), 3U);
  EXPECT_EQ(base_study("demo [epochs=2]/search/rung-3"), "demo");
  EXPECT_EQ(base_study("icon-home/demo/search/rung-3"), "icon-home/demo");
  for (const char* other : {"demo/search", "demo/rung-2", "demo/search/rung-", "demo/search/rung-x",
                            "demo/search/rung-2/more"})
    EXPECT_EQ(rung_of(other), 0U) << other;
  EXPECT_FALSE(is_search("demo/rung-2"));
}

}  // namespace
}  // namespace petlab::study
