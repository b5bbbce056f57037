#include "petlab/study/search.hpp"

#include "petlab/base/error.hpp"
#include "petlab/results/study_name.hpp"
#include "petlab/sdk/method.hpp"
#include "petlab/sdk/plugin.hpp"
#include "row_sections.hpp"
#include "search_edge.hpp"
#include "search_points.hpp"
#include "search_results.hpp"
#include "search_rungs.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace petlab::study {
namespace {

const std::string kTrial = ".trial-";  // between a row's label and the number of the trial

/// More than that on one side of a grid are not added to it.
constexpr std::size_t kMaximumAdded = 6;

std::string place_of(const SearchSpec& spec, const Row& row) {
  return spec.origin + ": row '" + row.label + "'";
}

Row trial_row(const Row& row, const results::NamedValues& values, std::size_t number,
              const std::string& origin) {
  Row trial = row;
  trial.label += kTrial + std::to_string(number);
  for (const auto& [key, value] : values)
    set_row_value(trial, key, {key, value, origin, ""});
  return trial;
}

/// The study of the trials: of a row one behind the other, in the order in which they were added.
/// `rungs` and `rung` as in Search.
Search make_search(const Protocol& protocol, std::vector<Trial> trials,
                   const std::vector<Rung>& rungs = {}, std::size_t rung = 0) {
  const SearchSpec& spec = protocol.search.value();
  std::stable_sort(trials.begin(), trials.end(),
                   [](const Trial& a, const Trial& b) { return a.row < b.row; });
  Search search{.protocol = protocol, .trials = std::move(trials), .rungs = rungs, .rung = rung};
  Protocol& study = search.protocol;
  const bool on_development = protocol.dataset.development_fraction > 0.0;
  const bool is_halving = !rungs.empty();
  study.name = is_halving ? results::rung_name(protocol.name, rung + 1)
                          : results::search_name(protocol.name);
  study.description =
      "Trials of the search of " + protocol.name +
      (on_development ? ", on development images" : ", on held-out training images") +
      (is_halving ? "; " + rung_text(protocol, search) : "");
  if (is_halving) shorten(study.training, rungs[rung].length);
  study.search.reset();
  study.rows.clear();
  if (!spec.seeds.empty()) study.seeds = spec.seeds;
  if (on_development)
    study.dataset.validation = engine::ValidationPart::development;
  else
    study.dataset.validation_fraction =
        spec.validation_fraction.value_or(SearchSpec::kValidationFraction);
  for (const Trial& trial : search.trials) {
    const Row& row = protocol.rows[trial.row];
    study.rows.push_back(trial_row(row, trial.values, trial.number, place_of(spec, row)));
  }
  return search;
}

const std::string& value_at(const Trial& trial, const std::string& key) {
  return std::find_if(trial.values.begin(), trial.values.end(),
                      [&](const auto& value) { return value.first == key; })
      ->second;
}

/// The values that the trials of a row have at a key. `grid_alone`: without those added to the
/// grid.
std::vector<std::string> tried_values(const Search& search, std::size_t row, const std::string& key,
                                      bool grid_alone) {
  std::vector<std::string> values;
  for (const Trial& trial : search.trials)
    if (trial.row == row && !(grid_alone && trial.is_added)) values.push_back(value_at(trial, key));
  return values;
}

/// Where a trial's value stands among those of its row, for keys that are numbers.
GridEdge edge_at(const Search& search, const Trial& trial, const std::string& key) {
  if (std::find(trial.numbers.begin(), trial.numbers.end(), key) == trial.numbers.end())
    return GridEdge::none;
  return edge_of(tried_values(search, trial.row, key, /*grid_alone=*/false), value_at(trial, key));
}

/// How many values were added to a row's grid beyond an edge of it.
std::size_t added_beyond(const Search& search, std::size_t row, const std::string& key,
                         GridEdge edge) {
  std::set<std::string> beyond;
  for (const Trial& trial : search.trials) {
    if (trial.row != row || !trial.is_added) continue;
    std::vector<std::string> values = tried_values(search, row, key, /*grid_alone=*/true);
    const std::string& value = value_at(trial, key);
    if (std::find(values.begin(), values.end(), value) != values.end()) continue;
    values.push_back(value);
    if (edge_of(values, value) == edge) beyond.insert(value);
  }
  return beyond.size();
}

/// Whether a row may have the settings: in range, and of the right kind.
bool is_allowed(const Protocol& protocol, const Row& row, const results::NamedValues& values,
                const PluginRegistry& plugins) {
  Protocol alone = protocol;
  try {
    alone.rows = {trial_row(row, values, 1, row.origin)};
    (void)expand(alone, plugins, {});
  } catch (const base::Error&) {
    return false;
  }
  return true;
}

/// Trials beyond the edges of the grid that the best trial of a row stands at.
std::vector<Trial> trials_beyond(const Protocol& protocol, const Search& search, const Trial& best,
                                 const PluginRegistry& plugins) {
  const Row& row = protocol.rows[best.row];
  const sdk::MethodEntry& method = *plugins.method(row.method).entry;
  std::vector<Trial> added;
  for (const std::string& key : best.numbers) {
    const GridEdge edge = edge_at(search, best, key);
    if (edge == GridEdge::none || added_beyond(search, best.row, key, edge) >= kMaximumAdded)
      continue;
    const auto next = value_beyond(tried_values(search, best.row, key, /*grid_alone=*/false), edge,
                                   key_kind(key, method));
    if (!next) continue;
    Trial trial = best;
    trial.is_added = true;
    for (auto& [name, value] : trial.values)
      if (name == key) value = *next;
    if (is_allowed(protocol, row, trial.values, plugins)) added.push_back(std::move(trial));
  }
  return added;
}

/// What the last of the rungs that a row has come to made of its trials, and how many runs all
/// took.
struct LastResult {
  RowResult result;
  const Search* search = nullptr;
  std::int64_t trials = 0;  ///< of the first rung
  std::int64_t runs = 0;
};

LastResult last_result(const std::vector<PlannedSearch>& rungs, std::size_t row,
                       const results::RunStore* store) {
  LastResult last;
  const std::size_t number = std::max<std::size_t>(1, rungs.front().search.rungs.size());
  for (std::size_t i = 0; i < number; ++i) {
    const RowResult result =
        i < rungs.size() ? row_result(rungs[i].search, row, rungs[i].plan, store) : RowResult{};
    if (i > 0 && result.trials == 0) {  // a rung that the row has yet to come to
      last.result.missing = true;
      break;
    }
    if (i == 0) last.trials = result.trials;
    last.result = result;
    last.search = &rungs[i].search;
    last.runs += result.trials * static_cast<std::int64_t>(last.search->protocol.seeds.size());
    if (result.missing || !result.best) break;
  }
  return last;
}

/// The rungs of halving; none of another strategy.
std::vector<Rung> rungs_of(const Protocol& protocol, std::size_t candidates) {
  const SearchSpec& spec = protocol.search.value();
  if (spec.strategy != SearchSpec::Strategy::halving) return {};
  if (candidates < 2)
    base::throw_config_error(spec.origin +
                             ": strategy = halving needs at least 2 candidates of each row, "
                             "found 1");
  if (protocol.training.budget == engine::Budget::published)
    base::throw_config_error(spec.origin +
                             ": strategy = halving shortens one budget that all rows have, and "
                             "budget in [train] is published; expected strategy = grid or random, "
                             "or budget = equal");
  const std::int64_t whole = length_of(protocol.training);
  std::vector<Rung> rungs = plan_rungs(candidates, spec, whole);
  if (rungs.front().length >= whole)
    base::throw_config_error(spec.origin +
                             ": strategy = halving has nothing to shorten, its first rung would "
                             "train as long as the study; expected more epochs or steps than " +
                             std::to_string(whole) +
                             ", a smaller budget, or strategy = grid or random");
  return rungs;
}

}  // namespace

Search plan_search(const Protocol& protocol, const PluginRegistry& plugins) {
  const SearchSpec& spec = protocol.search.value();
  const bool is_grid = !spec.draws();
  std::vector<Trial> trials;
  std::map<std::size_t, std::string> budgets;  // number of trials -> a row that has it
  for (std::size_t r = 0; r < protocol.rows.size(); ++r) {
    const Row& row = protocol.rows[r];
    const sdk::MethodEntry& method = *plugins.method(row.method).entry;
    const std::vector<SearchSpace> spaces = row_spaces(spec, row, method);
    if (spaces.empty()) continue;
    const std::string where = place_of(spec, row);
    const auto points =
        is_grid ? grid_points(spaces)
                : drawn_points(spaces, spec.trials, protocol.seeds.front(), row.method, where);
    if (spec.trials > 0 && points.size() != static_cast<std::size_t>(spec.trials))
      base::throw_config_error(where + ": its grid has " + std::to_string(points.size()) +
                               " points, expected the " + std::to_string(spec.trials) +
                               " trials of every row");
    budgets.emplace(points.size(), row.label);
    std::vector<std::string> numbers;
    for (const SearchSpace& space : spaces)
      if (is_grid && key_kind(space.key, method) != KeyKind::words) numbers.push_back(space.key);
    for (std::size_t i = 0; i < points.size(); ++i)
      trials.push_back({.row = r, .values = points[i], .numbers = numbers, .number = i + 1});
  }
  if (budgets.size() > 1)
    base::throw_config_error(
        spec.origin + ": every row must have the same number of trials, row '" +
        budgets.begin()->second + "' has " + std::to_string(budgets.begin()->first) + ", row '" +
        budgets.rbegin()->second + "' has " + std::to_string(budgets.rbegin()->first));
  if (trials.empty()) base::throw_config_error(spec.origin + ": [search] finds no row that trains");
  return make_search(protocol, std::move(trials), rungs_of(protocol, budgets.begin()->first));
}

std::optional<Search> extend_search(const Protocol& protocol, const Search& search,
                                    const Plan& trials, const results::RunStore* store,
                                    const PluginRegistry& plugins) {
  if (protocol.search->edge != SearchSpec::Edge::extend || store == nullptr) return std::nullopt;
  std::vector<Trial> longer = search.trials;
  for (std::size_t r = 0; r < protocol.rows.size(); ++r) {
    const RowResult result = row_result(search, r, trials, store);
    if (result.missing || !result.best) continue;
    auto number = static_cast<std::size_t>(result.trials);
    for (Trial& trial : trials_beyond(protocol, search, search.trials[*result.best], plugins)) {
      trial.number = ++number;
      longer.push_back(std::move(trial));
    }
  }
  if (longer.size() == search.trials.size()) return std::nullopt;
  return make_search(protocol, std::move(longer));
}

std::optional<Search> next_rung(const Protocol& protocol, const Search& search, const Plan& trials,
                                const results::RunStore* store) {
  const std::size_t next = search.rung + 1;
  if (next >= search.rungs.size()) return std::nullopt;
  std::vector<Trial> kept;
  for (std::size_t r = 0; r < protocol.rows.size(); ++r) {
    std::vector<std::size_t> best = ranked_trials(search, r, trials, store);
    best.resize(std::min(best.size(), search.rungs[next].candidates));
    std::sort(best.begin(), best.end());  // as they stand in the study
    for (const std::size_t trial : best)
      kept.push_back(search.trials[trial]);
  }
  if (kept.empty()) return std::nullopt;
  return make_search(protocol, std::move(kept), search.rungs, next);
}

std::string rung_text(const Protocol& protocol, const Search& search) {
  if (search.rungs.empty()) return "";
  const Rung& rung = search.rungs[search.rung];
  const std::int64_t whole = length_of(protocol.training);
  return "rung " + std::to_string(search.rung + 1) + " of " + std::to_string(search.rungs.size()) +
         ": " + std::to_string(rung.candidates) + " candidates a row, " +
         std::to_string(rung.length) + " of " + std::to_string(whole) +
         (protocol.training.steps > 0 ? " steps" : " epochs");
}

bool is_trial_of(const std::string& trial, const std::string& row) {
  return trial.starts_with(row + kTrial) &&
         trial.find_first_not_of("0123456789", row.size() + kTrial.size()) == std::string::npos;
}

SearchOutcome choose_settings(const Protocol& protocol, const Search& search, const Plan& trials,
                              const results::RunStore* store) {
  return choose_settings(protocol, {{search, trials}}, store);
}

SearchOutcome choose_settings(const Protocol& protocol, const std::vector<PlannedSearch>& rungs,
                              const results::RunStore* store) {
  const SearchSpec& spec = protocol.search.value();
  SearchOutcome outcome;
  outcome.protocol = protocol;
  outcome.protocol.search.reset();
  outcome.protocol.rows.clear();
  for (std::size_t r = 0; r < protocol.rows.size(); ++r) {
    const Row& row = protocol.rows[r];
    const LastResult last = last_result(rungs, r, store);
    const RowResult& result = last.result;
    if (last.trials == 0) {
      outcome.protocol.rows.push_back(row);
    } else if (result.missing) {
      outcome.waiting.push_back(row.label);
    } else if (!result.best) {
      outcome.failed.push_back(row.label);
    } else {
      const Search& search = *last.search;
      const Trial& best = search.trials[*result.best];
      Row chosen = row;
      for (const auto& [key, value] : best.values)
        set_row_value(chosen, key, {key, value, spec.origin, ""});
      results::SearchRecord record;
      record.row_index = static_cast<std::int64_t>(outcome.protocol.rows.size());
      record.strategy = to_string(spec.strategy);
      record.trials = last.trials;
      record.added_trials = result.added;
      record.trial_runs = last.runs;
      record.study = search.protocol.name;
      record.scored_on = search.protocol.dataset.development_fraction > 0.0
                             ? results::scored_on::kDevelopment
                             : results::scored_on::kHeldOut;
      record.chosen = best.values;
      for (const auto& [key, value] : best.values)
        if (const GridEdge edge = edge_at(rungs.front().search, best, key); edge != GridEdge::none)
          record.edges.emplace_back(key, edge == GridEdge::lowest ? results::search_edge::kLowest
                                                                  : results::search_edge::kHighest);
      record.images = result.images;
      record.validation_accuracy = result.accuracy;
      record.standard_error = result.standard_error;
      outcome.records.push_back(std::move(record));
      outcome.protocol.rows.push_back(std::move(chosen));
    }
  }
  return outcome;
}

}  // namespace petlab::study
