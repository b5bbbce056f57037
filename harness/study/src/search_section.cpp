#include "search_section.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/engine/setting_table.hpp"

#include <algorithm>

namespace petlab::study {
namespace {

using engine::choice_value;
using engine::integer_value;
using engine::list_value;
using engine::real_value;
using engine::setting_error;

/// Keys that a search may set, beside option.NAME.
std::vector<std::string> searchable_keys() {
  std::vector<std::string> keys;
  for (const engine::SettingEntry& entry : engine::setting_table())
    if (entry.is_searchable) keys.emplace_back(entry.name);
  return keys;
}

bool is_searchable(const std::string& key) {
  const engine::SettingEntry* entry = engine::row_setting(key);
  return (key.starts_with("option.") && key.size() > 7) ||
         (entry != nullptr && entry->is_searchable);
}

/// "log(1e-4, x10)": what stands in the brackets, if `text` begins with the name.
std::optional<std::vector<std::string>> arguments_of(const Setting& s, const std::string& name) {
  if (!s.value.starts_with(name + "(")) return std::nullopt;
  if (!s.value.ends_with(')')) setting_error(s, "expected a ) at the end");
  const std::string inside = s.value.substr(name.size() + 1, s.value.size() - name.size() - 2);
  auto list = list_value({s.key, inside, s.origin, s.base});
  if (list.size() != 2) setting_error(s, "expected two numbers: " + name + "(LOW,HIGH)");
  return list;
}

SearchSpace parse_space(const std::string& key, const Setting& s) {
  SearchSpace space;
  space.key = key;
  space.origin = s.origin;
  for (const auto kind : {SearchSpace::Kind::log_uniform, SearchSpace::Kind::uniform}) {
    const bool is_log = kind == SearchSpace::Kind::log_uniform;
    const auto bounds = arguments_of(s, is_log ? "log" : "uniform");
    if (!bounds) continue;
    space.kind = kind;
    space.relative = bounds->at(0).starts_with('x');
    if (space.relative != bounds->at(1).starts_with('x'))
      setting_error(s, "expected both bounds with an x (times the row's own value) or none");
    const auto bound = [&](std::string text) {
      if (space.relative) text.erase(0, 1);
      return real_value({s.key, text, s.origin, s.base}, {});
    };
    space.low = bound(bounds->at(0));
    space.high = bound(bounds->at(1));
    if (space.low >= space.high || (is_log && space.low <= 0.0))
      setting_error(s, is_log ? "expected 0 < LOW < HIGH" : "expected LOW < HIGH");
    return space;
  }
  space.values = list_value(s);
  return space;
}

}  // namespace

std::string to_string(SearchSpec::Strategy strategy) {
  switch (strategy) {
    case SearchSpec::Strategy::random:
      return "random";
    case SearchSpec::Strategy::halving:
      return "halving";
    default:
      return "grid";
  }
}

void take_search_key(SearchSpec& search, const std::string& method, const std::string& key,
                     const Setting& s) {
  if (search.origin.empty()) search.origin = s.origin;
  const std::string section = method.empty() ? "search" : "search." + method;
  const std::string space = !method.empty() ? key : key.starts_with("space.") ? key.substr(6) : "";
  if (is_searchable(space)) {
    (method.empty() ? search.general : search.methods[method]).push_back(parse_space(space, s));
  } else if (!method.empty()) {
    std::vector<std::string> known = searchable_keys();
    known.emplace_back("option.NAME");
    base::throw_config_error(s.origin + ": unknown key '" + key + "' in [" + section + "]" +
                             base::did_you_mean(key, known));
  } else if (key == "strategy") {
    const std::string name = choice_value(s, {"grid", "random", "halving"});
    for (const auto strategy :
         {SearchSpec::Strategy::grid, SearchSpec::Strategy::random, SearchSpec::Strategy::halving})
      if (to_string(strategy) == name) search.strategy = strategy;
  } else if (key == "trials") {
    search.trials = integer_value(s, 1);
  } else if (key == "seeds") {
    search.seeds = parse_seeds(s.value, s.origin);
  } else if (key == "edge") {
    search.edge = choice_value(s, {"keep", "extend"}) == "keep" ? SearchSpec::Edge::keep
                                                                : SearchSpec::Edge::extend;
  } else if (key == "reduction-factor") {
    search.halving_origin = s.origin;
    search.reduction_factor = integer_value(s, 2);
  } else if (key == "budget") {
    search.halving_origin = s.origin;
    search.budget = real_value(s, {.maximum = 1.0, .is_open_below = true});
  } else if (key == "validation-fraction") {
    search.validation_origin = s.origin;
    search.validation_fraction =
        real_value(s, {.maximum = 1.0, .is_open_below = true, .is_open_above = true});
  } else {
    std::vector<std::string> known = {"strategy",
                                      "trials",
                                      "seeds",
                                      "edge",
                                      "reduction-factor",
                                      "budget",
                                      "validation-fraction",
                                      "space.option.NAME"};
    for (const std::string& one : searchable_keys())
      known.push_back("space." + one);
    base::throw_config_error(s.origin + ": unknown key '" + key + "' in [search]" +
                             base::did_you_mean(key, known));
  }
}

void check_search(const SearchSpec& search, const Protocol& protocol) {
  if (search.general.empty() && search.methods.empty())
    base::throw_config_error(
        search.origin +
        ": [search] says no space; expected space.KEY = VALUES, or [search.METHOD]");
  if (protocol.dataset.tests_on_validation())
    base::throw_config_error(
        search.origin +
        ": a search is scored on validation images by itself; [dataset] must not ask for them too");
  if (protocol.dataset.development_fraction > 0.0 && search.validation_fraction)
    base::throw_config_error(
        search.validation_origin +
        ": the search of a study with a development-fraction is scored on its development images; "
        "expected no validation-fraction in [search]");
  const bool is_random = search.strategy == SearchSpec::Strategy::random;
  if (is_random && search.trials == 0)
    base::throw_config_error(
        search.origin + ": strategy = random in [search] needs trials, their number for each row");
  const bool is_halving = search.strategy == SearchSpec::Strategy::halving;
  if (!is_halving && !search.halving_origin.empty())
    base::throw_config_error(search.halving_origin +
                             ": reduction-factor and budget in [search] are for strategy = "
                             "halving, the strategy is " +
                             to_string(search.strategy));
  if (is_random && search.edge == SearchSpec::Edge::extend)
    base::throw_config_error(search.origin +
                             ": edge = extend in [search] is for strategy = grid; random trials "
                             "have no edge");
  if (is_halving && search.edge == SearchSpec::Edge::extend)
    base::throw_config_error(search.origin +
                             ": edge = extend in [search] is for strategy = grid; what is added "
                             "to halving would not have the budget of the others");
  const auto check_grid = [&](const std::vector<SearchSpace>& spaces) {
    for (const SearchSpace& space : spaces)
      if (!search.draws() && space.kind != SearchSpace::Kind::list)
        base::throw_config_error(space.origin + ": a grid needs a list of values for " + space.key +
                                 "; log(...) and uniform(...) are for strategy = random" +
                                 (is_halving ? ", and for halving with trials" : ""));
  };
  check_grid(search.general);
  for (const auto& [method, spaces] : search.methods)
    check_grid(spaces);
}

}  // namespace petlab::study
