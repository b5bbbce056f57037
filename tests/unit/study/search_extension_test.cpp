#include "petlab/study/search.hpp"
#include "sample_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace petlab::study {
namespace {

using results::NamedValues;
using sample::plugins;
using sample::protocol;
using sample::Trials;
using sample::values_of;
using testing::ElementsAre;

/// The accuracies of a search's trials, equal for both seeds, by `accuracy` of row and settings.
template <class Accuracy>
std::vector<std::vector<double>> accuracies(const Search& search, const Accuracy& accuracy) {
  std::vector<std::vector<double>> result;
  for (const Trial& trial : search.trials)
    result.emplace_back(search.protocol.seeds.size(), accuracy(trial.row, trial.values));
  return result;
}

/// The search at its end, all of whose trials were run.
template <class Accuracy>
Search extended(const Protocol& of, const Accuracy& accuracy) {
  Search search = plan_search(of, plugins());
  while (const auto longer = Trials(search, accuracies(search, accuracy)).extend(of, search))
    search = *longer;
  return search;
}

std::vector<std::string> labels_of(const Search& search, const std::string& row) {
  std::vector<std::string> labels;
  for (const Row& trial : search.protocol.rows)
    if (is_trial_of(trial.label, row)) labels.push_back(trial.label);
  return labels;
}

TEST(ExtendedSearch, GrowsUntilTheBestLiesInside) {
  const Protocol p = protocol("[search]\nedge = extend\nspace.learning-rate = 0.1,0.2,0.4\n");
  // CoOp is best at 1.6 and MmAP at 0.1, which is the lowest of the grid.
  const auto accuracy = [](std::size_t row, const NamedValues& values) {
    return 0.9 - 0.1 * std::abs(std::log2(std::stod(values[0].second) / (row == 1 ? 1.6 : 0.1)));
  };
  const Search s = extended(p, accuracy);
  const auto value = [](const std::string& rate) { return NamedValues{{"learning-rate", rate}}; };
  EXPECT_THAT(values_of(s, 1), ElementsAre(value("0.1"), value("0.2"), value("0.4"), value("0.8"),
                                           value("1.6"), value("3.2")));
  EXPECT_THAT(values_of(s, 2),
              ElementsAre(value("0.1"), value("0.2"), value("0.4"), value("0.05")));
  EXPECT_THAT(labels_of(s, "mmap"),
              ElementsAre("mmap.trial-1", "mmap.trial-2", "mmap.trial-3", "mmap.trial-4"));
  EXPECT_EQ(s.protocol.rows.back().training.at("learning-rate"), "0.05");

  const SearchOutcome outcome = Trials(s, accuracies(s, accuracy)).choose(p, s);
  ASSERT_EQ(outcome.records.size(), 2U);
  EXPECT_EQ(outcome.records[0].trials, 6);
  EXPECT_EQ(outcome.records[0].added_trials, 3);
  EXPECT_EQ(outcome.records[0].trial_runs, 12);
  EXPECT_EQ(outcome.records[0].chosen, value("1.6"));
  EXPECT_EQ(outcome.records[0].edges, NamedValues{});
  EXPECT_EQ(outcome.records[1].trials, 4);
  EXPECT_EQ(outcome.records[1].chosen, value("0.1"));
}

TEST(ExtendedSearch, StopsAfterSixValuesOnASide) {
  const Protocol p = protocol("[search]\nedge = extend\nspace.learning-rate = 1,2\n");
  const auto accuracy = [](std::size_t row, const NamedValues& values) {
    return row == 1 ? 0.5 + 0.01 * std::log2(std::stod(values[0].second)) : 0.5;
  };
  const Search s = extended(p, accuracy);
  EXPECT_EQ(values_of(s, 1).size(), 8U);
  EXPECT_EQ(values_of(s, 1).back(), (NamedValues{{"learning-rate", "128"}}));
  // Equal trials: the first stays, and is no longer the lowest.
  EXPECT_EQ(values_of(s, 2).size(), 3U);
  const SearchOutcome outcome = Trials(s, accuracies(s, accuracy)).choose(p, s);
  EXPECT_EQ(outcome.records[0].edges, (NamedValues{{"learning-rate", "highest"}}));
  EXPECT_EQ(outcome.records[0].added_trials, 6);
  EXPECT_EQ(outcome.records[1].chosen, (NamedValues{{"learning-rate", "1"}}));
}

TEST(ExtendedSearch, GrowsInEachDirectionFromTheBest) {
  const Protocol p = protocol(
      "[search]\nedge = extend\nspace.learning-rate = 1,2\nspace.weight-decay = 0,0.1,0.2\n");
  const auto accuracy = [](std::size_t, const NamedValues& values) {
    return 0.5 + 0.1 * std::min(std::stod(values[0].second), 4.0) -
           std::abs(std::stod(values[1].second) - 0.2);
  };
  const Search s = extended(p, accuracy);
  std::vector<NamedValues> added;
  for (const Trial& trial : s.trials)
    if (trial.row == 1 && trial.is_added) added.push_back(trial.values);
  EXPECT_THAT(added, ElementsAre(NamedValues{{"learning-rate", "4"}, {"weight-decay", "0.2"}},
                                 NamedValues{{"learning-rate", "2"}, {"weight-decay", "0.4"}},
                                 NamedValues{{"learning-rate", "8"}, {"weight-decay", "0.2"}}));
}

TEST(ExtendedSearch, GoesNowhereWhereAKeyTakesNoMore) {
  // The value added for CoOp, whose first or last trial is the best; MmAP's best lies inside.
  const auto added = [](const std::string& space, bool is_last_best) -> std::string {
    const Protocol p = protocol("[search]\nedge = extend\n[search.coop]\n" + space +
                                "[search.mmap]\nmomentum = 0.4,0.3,0.5\n");
    const Search s = plan_search(p, plugins());
    std::vector<std::vector<double>> results(s.trials.size(), {0.5, 0.5});
    const std::size_t last = values_of(s, 1).size() - 1;
    if (is_last_best) results[last] = {0.6, 0.6};
    const auto longer = Trials(s, results).extend(p, s);
    return longer ? values_of(*longer, 1).at(3).back().second : "nothing";
  };
  EXPECT_EQ(added("momentum = 0.1,0.5,0.9\n", true), "nothing");     // 1.62 is out of range
  EXPECT_EQ(added("weight-decay = 0,0.1,0.2\n", false), "nothing");  // below 0 there is none
  EXPECT_EQ(added("option.n-ctx = 2,4,8\n", true), "16");
  EXPECT_EQ(added("option.n-ctx = 2,3,4\n", true), "5");   // 5.33
  EXPECT_EQ(added("option.n-ctx = 2,3,4\n", false), "1");  // 1.33
  EXPECT_EQ(added("option.n-ctx = 1,2,4\n", false), "nothing");
}

TEST(ExtendedSearch, WaitsForMissingTrialsAndPassesOverFailedOnes) {
  const Protocol p = protocol("[search]\nedge = extend\nspace.learning-rate = 0.1,0.2,0.4\n");
  const Search s = plan_search(p, plugins());
  EXPECT_FALSE(extend_search(p, s, {}, nullptr, plugins()).has_value());
  // CoOp's best is beside a rate that diverges; MmAP lacks a trial.
  EXPECT_FALSE(
      Trials(s, {{0.5, 0.5}, {0.6, 0.6}, {-1, -1}, {0.5, 0.5}, {0.6, 0.6}, {0.7, 2}}).extend(p, s));
  EXPECT_FALSE(
      Trials(s, {{-1, 0}, {-1, 0}, {-1, -1}, {0.5, 0.5}, {0.6, 0.6}, {0.5, 0.5}}).extend(p, s));
  // A search that keeps its grid.
  const Protocol keeps = protocol("[search]\nspace.learning-rate = 0.1,0.2,0.3\n");
  const Search grid = plan_search(keeps, plugins());
  EXPECT_FALSE(Trials(grid, accuracies(grid, [](std::size_t, const NamedValues&) { return 0.5; }))
                   .extend(keeps, grid));
}

}  // namespace
}  // namespace petlab::study
