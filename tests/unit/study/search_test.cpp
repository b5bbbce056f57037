#include "petlab/study/search.hpp"

#include "petlab/base/error.hpp"
#include "sample_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace petlab::study {
namespace {

using results::NamedValues;
using sample::development;
using sample::plugins;
using sample::protocol;
using sample::Trials;
using sample::values_of;
using testing::ElementsAre;
using testing::HasSubstr;

Search search(const std::string& text) {
  return plan_search(protocol(text), plugins());
}

std::string search_error(const std::string& text) {
  try {
    (void)search(text);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::config);
    return error.what();
  }
  return "no error";
}

TEST(Search, AGridIsTriedByEveryRowThatTrains) {
  const Search s = search(
      "[search]\nspace.learning-rate = x1,x3\nspace.weight-decay = 0,0.1\nseeds = 1-3\n"
      "validation-fraction = 0.4\n");
  ASSERT_EQ(s.trials.size(), 8U);
  EXPECT_EQ(s.protocol.name, "small/search");
  EXPECT_EQ(s.protocol.seeds, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(s.protocol.dataset.validation_fraction, 0.4);
  EXPECT_TRUE(s.protocol.dataset.tests_on_validation());
  EXPECT_FALSE(s.protocol.search.has_value());
  ASSERT_EQ(s.protocol.rows.size(), 8U);
  EXPECT_EQ(s.protocol.rows[0].label, "coop.trial-1");
  EXPECT_EQ(s.protocol.rows[7].label, "mmap.trial-4");
  EXPECT_THAT(values_of(s, 0), ElementsAre());
  EXPECT_THAT(values_of(s, 1),
              ElementsAre(NamedValues{{"learning-rate", "0.01"}, {"weight-decay", "0"}},
                          NamedValues{{"learning-rate", "0.01"}, {"weight-decay", "0.1"}},
                          NamedValues{{"learning-rate", "0.03"}, {"weight-decay", "0"}},
                          NamedValues{{"learning-rate", "0.03"}, {"weight-decay", "0.1"}}));
  // MmAP's own rate is its publication's, 0.0035.
  EXPECT_EQ(values_of(s, 2)[2][0].second, "0.0105");
  EXPECT_EQ(s.protocol.rows[6].training.at("learning-rate"), "0.0105");
  EXPECT_EQ(s.protocol.rows[6].training.at("weight-decay"), "0");
  // The trials are runs as any others.
  EXPECT_EQ(expand(s.protocol, plugins(), {"/cache", 1}).size(), 24U);
}

TEST(Search, AMethodMayHaveASpaceOfItsOwn) {
  const Search s = search(
      "[search]\nspace.learning-rate = 0.1,0.2\n"
      "[search.coop]\nlearning-rate = 0.5\noption.n-ctx = 2,4\n"
      "[search.zero-shot]\noption.template = a {}.,the {}.\n");
  EXPECT_THAT(values_of(s, 0), ElementsAre(NamedValues{{"option.template", "a {}."}},
                                           NamedValues{{"option.template", "the {}."}}));
  EXPECT_THAT(values_of(s, 1),
              ElementsAre(NamedValues{{"learning-rate", "0.5"}, {"option.n-ctx", "2"}},
                          NamedValues{{"learning-rate", "0.5"}, {"option.n-ctx", "4"}}));
  EXPECT_EQ(values_of(s, 2)[1][0].second, "0.2");
}

double number(const Row& row, const std::string& key) {
  return std::stod(row.training.at(key));
}

TEST(Search, RandomTrialsComeFromTheStudysSeedAlone) {
  const std::string text =
      "[search]\nstrategy = random\ntrials = 20\nspace.learning-rate = log(x0.1,x10)\n"
      "space.momentum = uniform(0.5,0.9)\nspace.optimizer = sgd,adamw\n";
  const Search one = search(text), two = search(text);
  ASSERT_EQ(one.trials.size(), 40U);
  for (std::size_t i = 0; i < one.trials.size(); ++i) {
    EXPECT_EQ(one.trials[i].values, two.trials[i].values);
    const Row& row = one.protocol.rows[i];
    const double own = row.method == "coop" ? 0.01 : 0.0035;
    EXPECT_GE(number(row, "learning-rate"), 0.0999 * own);
    EXPECT_LE(number(row, "learning-rate"), 10.01 * own);
    EXPECT_GE(number(row, "momentum"), 0.5);
    EXPECT_LE(number(row, "momentum"), 0.9);
  }
  // Below the middle of the logarithm about as often as above.
  int below = 0;
  for (std::size_t i = 0; i < 20; ++i)
    below += number(one.protocol.rows[i], "learning-rate") < 0.01 ? 1 : 0;
  EXPECT_GT(below, 3);
  EXPECT_LT(below, 17);

  Protocol other = protocol(text);
  other.seeds = {9};
  EXPECT_NE(plan_search(other, plugins()).trials[0].values, one.trials[0].values);
}

TEST(Search, RandomTrialsAreDifferentOnes) {
  const Search s =
      search("[search]\nstrategy = random\ntrials = 3\nspace.weight-decay = 0,0.1,0.2\n");
  EXPECT_THAT(values_of(s, 1), testing::UnorderedElementsAre(NamedValues{{"weight-decay", "0"}},
                                                             NamedValues{{"weight-decay", "0.1"}},
                                                             NamedValues{{"weight-decay", "0.2"}}));
  EXPECT_THAT(search_error("[search]\nstrategy = random\ntrials = 4\nspace.momentum = 0,0.1,0.2\n"),
              HasSubstr("the space holds 3 settings, expected 4 different trials"));
}

TEST(Search, NamesLineAndKeyOfAMistake) {
  const struct {
    std::string text, message;
  } cases[] = {
      {"[search]\ntrials = 3\n", "says no space"},
      {"[search]\n", "section [search] is empty"},
      {"[search]\nspace.learning-rat = 1\n",
       "search_test.ini:20: unknown key 'space.learning-rat' in [search]; did you mean "
       "'space.learning-rate'?"},
      {"[search]\nspace.momentum = 0\nstrategy = gird\n", "did you mean 'grid'?"},
      {"[search]\nspace.momentum = 0,0.5\ntrials = 3\n", "has 2 points, expected the 3 trials"},
      {"[search]\nspace.momentum = uniform(0,1)\n", "a grid needs a list of values for momentum"},
      {"[search]\nstrategy = random\nspace.momentum = uniform(0,1)\n", "needs trials"},
      {"[search]\nspace.momentum = uniform(1,0)\n", "expected LOW < HIGH"},
      {"[search]\nspace.learning-rate = log(0,1)\n", "expected 0 < LOW < HIGH"},
      {"[search]\nspace.learning-rate = log(x1,1)\n", "both bounds with an x"},
      {"[search]\nspace.learning-rate = log(1\n", "expected a ) at the end"},
      {"[search]\nspace.momentum = 0,2\n", "'2', expected a number >= 0 and <= 1"},
      {"[search.coop]\noption.init = x2,x3\n", "x is for factors of a number"},
      {"[search.cop]\nmomentum = 0\n", "no row uses method 'cop' of section [search.cop]"},
      {"[search]\nspace.momentum = 0,0.5\n[search.mmap]\nmomentum = 0,0.1,0.2\n",
       "every row must have the same number of trials, row 'coop' has 2, row 'mmap' has 3"},
      {"[search]\nspace.momentum = 0,0.5\nvalidation-fraction = 1\n", "between 0 and 1"},
      {"[search]\nspace.momentum = 0,0.5\nedge = extent\n", "did you mean 'extend'?"},
      {"[search]\nstrategy = random\ntrials = 2\nspace.momentum = 0,0.5\nedge = extend\n",
       "edge = extend in [search] is for strategy = grid"},
  };
  for (const auto& one : cases)
    EXPECT_THAT(search_error(one.text), HasSubstr(one.message)) << one.text;
}

TEST(Search, IsScoredOnTheDevelopmentImagesWhereThereAreSome) {
  const std::string text = "[search]\nspace.learning-rate = x1,x3\n";
  const Search aside = plan_search(protocol(text, development()), plugins());
  EXPECT_EQ(aside.protocol.dataset.validation, engine::ValidationPart::development);
  EXPECT_EQ(aside.protocol.dataset.development_fraction, 0.3);
  EXPECT_EQ(aside.protocol.dataset.validation_fraction, 0.0);
  const Search held_out = search(text);
  EXPECT_EQ(held_out.protocol.dataset.validation, engine::ValidationPart::none);
  EXPECT_EQ(held_out.protocol.dataset.validation_fraction, 0.5);

  const auto refusal = [](const std::string& search,
                          const std::vector<Setting>& settings) -> std::string {
    try {
      (void)protocol(search, settings);
    } catch (const base::Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(refusal(text + "validation-fraction = 0.5\n", development()),
              HasSubstr("search_test.ini:21: the search of a study with a development-fraction is "
                        "scored on its development images"));
  std::vector<Setting> scored = development();
  scored.push_back({"dataset.validation", "development", "--set", ""});
  EXPECT_THAT(refusal(text, scored), HasSubstr("[dataset] must not ask for them too"));
}

constexpr const char* kThree = "[search]\nspace.learning-rate = 0.1,0.2,0.3\n";

TEST(Search, TheBestMeanOverSeedsIsChosenAndOfEqualOnesTheFirst) {
  const Protocol p = protocol(kThree);
  const Search s = plan_search(p, plugins());
  const SearchOutcome outcome =
      Trials(s, {{0.50, 0.70}, {0.90, 0.20}, {0.61, 0.60}, {0.40, 0.40}, {0.30, 0.50}, {0.1, 0.1}})
          .choose(p, s);
  ASSERT_EQ(outcome.protocol.rows.size(), 3U);
  EXPECT_FALSE(outcome.protocol.search.has_value());
  EXPECT_FALSE(outcome.protocol.dataset.tests_on_validation());
  EXPECT_EQ(outcome.protocol.rows[1].training.at("learning-rate"), "0.3");
  EXPECT_EQ(outcome.protocol.rows[2].training.at("learning-rate"), "0.1");
  ASSERT_EQ(outcome.records.size(), 2U);
  const results::SearchRecord& coop = outcome.records[0];
  EXPECT_EQ(coop.row_index, 1);
  EXPECT_EQ(coop.strategy, "grid");
  EXPECT_EQ(coop.trials, 3);
  EXPECT_EQ(coop.trial_runs, 6);
  EXPECT_EQ(coop.study, "small/search");
  EXPECT_EQ(coop.chosen, (NamedValues{{"learning-rate", "0.3"}}));
  EXPECT_NEAR(coop.validation_accuracy, 0.605, 1e-12);
  EXPECT_EQ(coop.added_trials, 0);
  EXPECT_EQ(coop.scored_on, "held-out");
  EXPECT_EQ(coop.edges, (NamedValues{{"learning-rate", "highest"}}));
  EXPECT_EQ(outcome.records[1].edges, (NamedValues{{"learning-rate", "lowest"}}));
  // Two tasks of 100 images, the same for both seeds, with 60.5 right on average.
  EXPECT_EQ(coop.images,
            (std::vector<std::pair<std::string, std::int64_t>>{{"line", 100}, {"emoji", 100}}));
  EXPECT_NEAR(coop.standard_error.value(), std::sqrt(2 * 0.605 * 0.395 / 100) / 2, 1e-12);
}

TEST(Search, NoEdgeIsMarkedInsideOfAGridOrAmongWords) {
  const auto edges = [](const std::string& text, const std::vector<std::vector<double>>& results) {
    const Protocol p = protocol(text, development());
    const Search s = plan_search(p, plugins());
    const SearchOutcome outcome = Trials(s, results).choose(p, s);
    EXPECT_EQ(outcome.records.at(0).scored_on, "development");
    return outcome.records.at(0).edges;
  };
  EXPECT_EQ(edges(kThree, {{0.5, 0.5}, {0.6, 0.6}, {0.5, 0.5}, {0, 0}, {0, 0}, {0, 0}}),
            NamedValues{});
  // In the order of the numbers, whatever that of the file.
  EXPECT_EQ(edges("[search]\nspace.learning-rate = 0.3,0.1,0.2\n",
                  {{0.5, 0.5}, {0.6, 0.6}, {0.5, 0.5}, {0, 0}, {0, 0}, {0, 0}}),
            (NamedValues{{"learning-rate", "lowest"}}));
  EXPECT_EQ(
      edges("[search]\nspace.optimizer = sgd,adamw\n", {{0.5, 0.5}, {0.6, 0.6}, {0, 0}, {0, 0}}),
      NamedValues{});
  EXPECT_EQ(edges("[search]\nstrategy = random\ntrials = 2\nspace.momentum = 0.5,0.9\n",
                  {{0.5, 0.5}, {0.6, 0.6}, {0, 0}, {0, 0}}),
            NamedValues{});
  // One value was not searched.
  EXPECT_EQ(edges("[search]\nspace.learning-rate = 0.1,0.2\nspace.momentum = 0.5\n",
                  {{0.5, 0.5}, {0.6, 0.6}, {0, 0}, {0, 0}}),
            (NamedValues{{"learning-rate", "highest"}}));
}

TEST(Search, AFailedTrialHasLostAndAMissingOneIsWaitedFor) {
  const Protocol p = protocol(kThree);
  const Search s = plan_search(p, plugins());
  const SearchOutcome outcome =
      Trials(s, {{0.50, 0.50}, {0.90, -1}, {0.40, 0.40}, {0.9, 0.9}, {0.9, 2}, {0.1, 0.1}})
          .choose(p, s);
  EXPECT_THAT(outcome.waiting, ElementsAre("mmap"));
  EXPECT_THAT(outcome.failed, ElementsAre());
  ASSERT_EQ(outcome.protocol.rows.size(), 2U);
  EXPECT_EQ(outcome.protocol.rows[0].label, "zero-shot");
  EXPECT_EQ(outcome.protocol.rows[1].training.at("learning-rate"), "0.1");

  const SearchOutcome lost =
      Trials(s, {{-1, -1}, {0.9, -1}, {-1, 0.9}, {0.9, 0.9}, {0.1, 0.1}, {0.1, 0.1}}).choose(p, s);
  EXPECT_THAT(lost.failed, ElementsAre("coop"));
  ASSERT_EQ(lost.records.size(), 1U);
  EXPECT_EQ(lost.records[0].row_index, 1);  // the row coop is not there
}

}  // namespace
}  // namespace petlab::study
