#include "petlab/study/search.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/engine/seeds.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/sdk/method.hpp"
#include "search_section.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>

namespace petlab::study {
namespace {

const std::string kTrial = ".trial-";  // between a row's label and the number of the trial

/// Six digits: 3 times 0.0035 is 0.0105, and a drawn rate is one that a reader can type.
std::string rounded(double value, const char* format = "%.6g") {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return base::number_text(std::strtod(text, nullptr));
}

double parse_number(const std::string& text, const std::string& message) {
  const auto value = base::parse_number<double>(text);
  if (!value) base::throw_config_error(message);
  return *value;
}

/// What a row has at a key without a search: what the file says, else its publication's.
double own_value(const Row& row, const sdk::MethodEntry& method, const SearchSpace& space) {
  const std::string where = space.origin + ": row '" + row.label + "': " + space.key + " is ";
  std::string text;
  if (space.key.starts_with("option.")) {
    const std::string name = space.key.substr(7);
    if (const auto given = row.method_options.find(name); given != row.method_options.end())
      text = given->second;
    else
      for (const sdk::OptionSpec& option : std::span(method.options, method.option_count))
        if (name == option.name) text = option.default_value;
  } else if (const auto given = row.training.find(space.key); given != row.training.end()) {
    text = given->second;
  } else if (const auto& published = engine::row_setting(space.key)->publication) {
    text = published(method.training);
  }
  return parse_number(text, where + "'" + text + "', and x is for factors of a number");
}

/// The space of a row with values in the place of factors. Nothing where the row is not searched.
std::vector<SearchSpace> row_space(const SearchSpec& search, const Row& row,
                                   const sdk::MethodEntry& method) {
  std::vector<SearchSpace> spaces;
  if (method.training.learning_rate > 0.0) spaces = search.general;
  if (const auto own = search.methods.find(row.method); own != search.methods.end())
    for (const SearchSpace& space : own->second) {
      const auto same = std::find_if(spaces.begin(), spaces.end(),
                                     [&](const auto& s) { return s.key == space.key; });
      if (same != spaces.end())
        *same = space;
      else
        spaces.push_back(space);
    }
  for (SearchSpace& space : spaces) {
    if (space.relative) {
      const double own = own_value(row, method, space);
      space.low *= own;
      space.high *= own;
    }
    for (std::string& value : space.values)
      if (value.starts_with('x') && value.size() > 1 &&
          value.find_first_not_of("0123456789.eE+-", 1) == std::string::npos)
        value = rounded(own_value(row, method, space) *
                        parse_number(value.substr(1),
                                     space.origin + ": '" + value + "' is no factor such as x3"));
  }
  return spaces;
}

std::vector<results::NamedValues> grid(const std::vector<SearchSpace>& spaces) {
  std::vector<results::NamedValues> points = {{}};
  for (const SearchSpace& space : spaces) {
    std::vector<results::NamedValues> longer;
    for (const results::NamedValues& point : points)
      for (const std::string& value : space.values) {
        longer.push_back(point);
        longer.back().emplace_back(space.key, value);
      }
    points = std::move(longer);
  }
  return points;
}

std::string draw(const SearchSpace& space, base::SplitMix64& random) {
  if (space.kind == SearchSpace::Kind::list) return space.values[random.below(space.values.size())];
  const double u = random.uniform();
  const double value =
      space.kind == SearchSpace::Kind::uniform
          ? space.low + u * (space.high - space.low)
          : std::exp(std::log(space.low) + u * (std::log(space.high) - std::log(space.low)));
  return rounded(value, "%.3g");
}

std::vector<results::NamedValues> draws(const std::vector<SearchSpace>& spaces, std::int64_t count,
                                        std::uint64_t seed, const std::string& method,
                                        const std::string& where) {
  base::SplitMix64 random(engine::derive_seed(seed, {"search", method}));
  std::vector<results::NamedValues> points;
  // A space may be small: give up where nothing new has come for long.
  constexpr int kPatience = 1000;
  for (int repeated = 0; points.size() < static_cast<std::size_t>(count);) {
    results::NamedValues point;
    for (const SearchSpace& space : spaces)
      point.emplace_back(space.key, draw(space, random));
    if (std::find(points.begin(), points.end(), point) == points.end()) {
      points.push_back(std::move(point));
      repeated = 0;
    } else if (++repeated == kPatience) {
      base::throw_config_error(where + ": the space holds " + std::to_string(points.size()) +
                               " settings, expected " + std::to_string(count) +
                               " different trials");
    }
  }
  return points;
}

Row trial_row(const Row& row, const results::NamedValues& values, std::size_t number,
              const std::string& origin) {
  Row trial = row;
  trial.label += kTrial + std::to_string(number);
  for (const auto& [key, value] : values)
    set_row_value(trial, key, {key, value, origin, ""});
  return trial;
}

/// Mean over tasks, then over seeds, of one trial.
struct TrialResult {
  bool missing = false;
  bool failed = false;
  double accuracy = 0.0;
};

TrialResult result_of(std::size_t trial, const Plan& trials, const results::RunStore* store) {
  TrialResult result;
  double sum = 0.0;
  int runs = 0;
  for (const results::PlannedRun& planned : trials.study.plan) {
    if (static_cast<std::size_t>(planned.row_index) != trial) continue;
    const auto run = store == nullptr
                         ? std::nullopt
                         : store->load(planned.hash, results::LoadDetail::without_predictions);
    if (!run) {
      result.missing = true;
    } else if (run->status == results::RunStatus::failed) {
      result.failed = true;
    } else {
      double accuracy = 0.0;
      for (const results::TaskResult& task : run->tasks)
        accuracy += task.accuracy() / static_cast<double>(run->tasks.size());
      sum += accuracy;
    }
    ++runs;
  }
  result.accuracy = sum / runs;
  return result;
}

}  // namespace

Search plan_search(const Protocol& protocol, const PluginRegistry& plugins) {
  const SearchSpec& spec = protocol.search.value();
  Search search{.protocol = protocol, .trials = {}};
  Protocol& trials = search.protocol;
  trials.name += "/search";
  trials.description =
      "Trials of the search of " + protocol.name + ", on held-out training pictures";
  trials.search.reset();
  trials.rows.clear();
  if (!spec.seeds.empty()) trials.seeds = spec.seeds;
  trials.dataset.validation_fraction = spec.validation_fraction;

  std::map<std::size_t, std::string> budgets;  // number of trials -> a row that has it
  for (std::size_t r = 0; r < protocol.rows.size(); ++r) {
    const Row& row = protocol.rows[r];
    const std::vector<SearchSpace> spaces = row_space(spec, row, *plugins.method(row.method).entry);
    if (spaces.empty()) continue;
    const std::string where = spec.origin + ": row '" + row.label + "'";
    const auto points = spec.strategy == SearchSpec::Strategy::grid
                            ? grid(spaces)
                            : draws(spaces, spec.trials, protocol.seeds.front(), row.method, where);
    if (spec.trials > 0 && points.size() != static_cast<std::size_t>(spec.trials))
      base::throw_config_error(where + ": its grid has " + std::to_string(points.size()) +
                               " points, expected the " + std::to_string(spec.trials) +
                               " trials of every row");
    budgets.emplace(points.size(), row.label);
    for (std::size_t i = 0; i < points.size(); ++i) {
      search.trials.push_back({r, points[i]});
      trials.rows.push_back(trial_row(row, points[i], i + 1, where));
    }
  }
  if (budgets.size() > 1)
    base::throw_config_error(
        spec.origin + ": every row must have the same number of trials, row '" +
        budgets.begin()->second + "' has " + std::to_string(budgets.begin()->first) + ", row '" +
        budgets.rbegin()->second + "' has " + std::to_string(budgets.rbegin()->first));
  if (trials.rows.empty())
    base::throw_config_error(spec.origin + ": [search] finds no row that trains");
  return search;
}

bool is_trial_of(const std::string& trial, const std::string& row) {
  return trial.starts_with(row + kTrial) &&
         trial.find_first_not_of("0123456789", row.size() + kTrial.size()) == std::string::npos;
}

SearchOutcome choose_settings(const Protocol& protocol, const Search& search, const Plan& trials,
                              const results::RunStore* store) {
  const SearchSpec& spec = protocol.search.value();
  SearchOutcome outcome;
  outcome.protocol = protocol;
  outcome.protocol.search.reset();
  outcome.protocol.rows.clear();
  for (std::size_t r = 0; r < protocol.rows.size(); ++r) {
    const Row& row = protocol.rows[r];
    results::SearchRecord record;
    bool missing = false;
    const Trial* best = nullptr;
    for (std::size_t i = 0; i < search.trials.size(); ++i) {
      if (search.trials[i].row != r) continue;
      ++record.trials;
      const TrialResult result = result_of(i, trials, store);
      missing = missing || result.missing;
      if (result.missing || result.failed) continue;
      if (best != nullptr && result.accuracy <= record.validation_accuracy) continue;
      best = &search.trials[i];
      record.validation_accuracy = result.accuracy;
    }
    if (record.trials == 0) {
      outcome.protocol.rows.push_back(row);
    } else if (missing) {
      outcome.waiting.push_back(row.label);
    } else if (best == nullptr) {
      outcome.failed.push_back(row.label);
    } else {
      Row chosen = row;
      for (const auto& [key, value] : best->values)
        set_row_value(chosen, key, {key, value, spec.origin, ""});
      record.row_index = static_cast<std::int64_t>(outcome.protocol.rows.size());
      record.strategy = to_string(spec.strategy);
      record.trial_runs = record.trials * static_cast<std::int64_t>(search.protocol.seeds.size());
      record.study = search.protocol.name;
      record.chosen = best->values;
      outcome.records.push_back(record);
      outcome.protocol.rows.push_back(std::move(chosen));
    }
  }
  return outcome;
}

}  // namespace petlab::study
